"""Build the columns of a body from a person's traits."""

from mimir_engine.phantom.anatomy.abdomen import add_abdomen
from mimir_engine.phantom.anatomy.chest import add_chest
from mimir_engine.phantom.anatomy.columns import Columns
from mimir_engine.phantom.anatomy.limbs import add_arms, add_legs
from mimir_engine.phantom.anatomy.skeleton import add_skeleton
from mimir_engine.phantom.anatomy.trunk import add_trunk
from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import Person


def build_body(person: Person) -> Body:
    """Build a person's body: nested from the skin inwards, sized from the viscera outwards."""
    columns = Columns(person)
    trunk = add_trunk(columns)
    add_chest(columns, trunk)
    add_abdomen(columns, trunk)
    add_skeleton(columns, trunk)
    add_legs(columns)
    add_arms(columns, trunk.skin)
    return columns.body()
