<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US">
<context>
    <name>MIMIR</name>
    <message>
        <source>Measures the body in neck-to-knee Dixon MRI, acquired as in UK Biobank: fat depots, muscle, liver, height, weight, age and more, each with a prediction interval. Import a study, tick it and press Apply. For research only, not for diagnosis.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The method is from Langner et al., MIMIR: Deep Regression for Automated Analysis of UK Biobank Body MRI, &lt;a href=&apos;https://arxiv.org/abs/2106.11731&apos;&gt;arXiv:2106.11731&lt;/a&gt;.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Research use only: MIMIR is not a medical device and must not guide decisions about patients.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Studies</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shows only studies that contain all of these words.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter of the studies</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter: name, date, status …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Neck-to-knee Dixon studies in Slicer&apos;s DICOM database. Tick the ones to measure: click, or press Enter.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tick all shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ticks all complete or readable studies in the filtered list.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tick none</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clears all ticks, including hidden studies.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Refresh</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reads the list of studies again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Create the database here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Makes an empty DICOM database in this folder. Another folder can be chosen in the module DICOM.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Makes a synthetic body, imports and measures it, and shows the result. Packages that are missing are installed after a question.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import folder…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adds a folder of DICOM files to Slicer&apos;s DICOM database.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Import UK Biobank zip…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adds zip archives of DICOM files, such as UK Biobank&apos;s field 20201, to Slicer&apos;s DICOM database.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Findings in the images and headers. Choose one to see what to do, and where it is.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Findings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measures the ticked studies that are refused because water and fat are exchanged. They are exchanged back where this is certain, and the results are flagged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Water (left) and fat fraction (right) in the coronal plane. Frames mark what the findings concern.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Picture of the findings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Volumes and segmentation of the scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Water volume:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A stitched water volume, from the neck to the knees. With a fat volume, it is measured as a study.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>vtkMRMLScalarVolumeNode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Fat volume:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The fat volume of the same scan, on the same voxels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In-phase volume:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The in-phase volume of the same scan, if there is one. Water and fat are checked against it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Opposed-phase volume:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The opposed-phase volume of the same scan, if there is one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Segmentation:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A segmentation or label map of the one study that is measured: the ticked one, or the volumes above. The volume and fat fraction of each segment are measured.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>vtkMRMLSegmentationNode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>vtkMRMLLabelMapVolumeNode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Inference modules</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Trained networks. Tick the ones to use: click, or press Enter. Without any, studies are only measured directly.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shows or hides what the selected inference module measures, for which studies it is valid, and where it is from.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add zip…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adds an inference module from a zip archive.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adds an inference module from a folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Deletes the selected inference module, if you added it yourself.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Verify</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checks that the files of the selected inference module are unchanged, by their hashes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Options</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Interval &amp;level:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of the intervals that contain the true value, for studies like those the inference module was calibrated on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Interval level in percent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Networks run with:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic uses PyTorch if it has a graphics card, otherwise ONNX Runtime if it is installed. The estimates agree to four digits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Program for the networks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Device:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device for the networks. Automatic uses a GPU if there is one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show fused volumes and parts of the body</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adds the fused volumes of each study (water, fat, fat fraction) and its parts as a segmentation to the scene, in addition to its table.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure outside the validated range, too</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Also measures studies with another scanner, field strength, number of stations or scan length than the inference module was validated on. Their values are flagged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Studies that could not be measured</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Studies that could not be measured, and why.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Results</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Studies with results in the scene.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Result</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Findings of the result</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shows the measurements of one group, in table and chart.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Group of measurements</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shows only measurements, or studies of the cohort, that contain all of these words; in the chart, too.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter of the measurements</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter: measurement, unit, flag …</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measurements of the study selected above, or the studies of the cohort. The chart shows the ticked measurements. Click a column header to sort, right-click it to choose the columns. Ctrl+C copies the selected rows.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measurements</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fat in 3D</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shows the fat of the study selected above in 3D, seen from the front.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show in views</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shows slices, chart and table of the study selected above in MIMIR&apos;s layout.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show profile</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shows the coronal view with the parts of the body beside the chart of body, fat and lean area along the body.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Report…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Writes images, chart, table and findings of the study selected above to an HTML page or a PDF file, and opens it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export CSV…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Writes all measurements of the study selected above, one row each, or of the cohort, one row per study, to a CSV file with all digits. Search, group and ticks do not matter.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Research use only.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Log</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the engine did, with times. Useful when you report a problem.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shows the studies that were measured, and measures the others.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Discard</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Deletes the results of the interrupted run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress of the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Apply</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stops immediately; studies that were measured stay.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MIMIRDICOMPlugin</name>
    <message>
        <source>Neck-to-knee Dixon (MIMIR)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Water, fat and fat fraction, fused from {stations} stations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One volume each from neck to knee, from {count} files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{series}: part of the fused volumes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loads the same fused volumes. To load only this series, tick another reader.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loads neck-to-knee Dixon studies as fused water, fat and fat fraction.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The study cannot be fused: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MIMIRLib.errors</name>
    <message>
        <source>See Slicer&apos;s error log, and please report the problem.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MIMIR failed ({kind})</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MIMIRLib.job</name>
    <message>
        <source>Cancelled.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MIMIRLib.parameter_node</name>
    <message>
        <source>Automatic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>NVIDIA GPU (CUDA)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apple GPU (MPS)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ONNX Runtime</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>analysis.blocking_call</name>
    <message>
        <source>study {key}: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the run was cancelled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>study {key}: {reason} (and {count} more studies could not be measured)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no inference module was found</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add one in the panel.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there are {count} inference modules: {names}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose one, e.g. modules=[&apos;{name}&apos;].</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>analysis.measure_job</name>
    <message>
        <source>Free disk space, or choose fewer studies.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Free disk space, choose fewer studies, or do not show the volumes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking up the studies&apos; files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Showing the results</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a run is already in progress</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wait until it ends, or press Cancel in the module MIMIR.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelled. {kept}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the results temporarily need some {needed:.1f} GB, but only {free:.1f} GB are free in the folder for temporary files &apos;{folder}&apos;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{study}: to be measured again</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>analysis.progress</name>
    <message>
        <source>Engine {version} in {path}, Python {python}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Studies: {studies}; inference modules: {names}; runtime: {runtime}; device: {device}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finished: {done} done, {failed} failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting the engine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{done} of {total} study done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{done} of {total} studies done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading the inference modules</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reading {study}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>measuring {study}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reading {study} once more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> ({count} failed)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>, about {time} left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>study {number}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>analysis.request</name>
    <message>
        <source>no study is chosen</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose at least one study.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure them one after the other, or rename the files.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure one study with the segmentation.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} of the studies are called &apos;{name}&apos;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a segmentation belongs to one study, but {count} studies are to be measured</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>analysis.run_summary</name>
    <message>
        <source>{shown} of {total} studies were measured and are shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} were measured with these choices before.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} are shown without volumes; press Apply to measure them again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The scene is unchanged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 of {total} studies was measured and is shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All {count} studies are measured with these choices; Apply measures them again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 was measured with these choices before.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 is shown without volumes; press Apply to measure it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>; press Apply to measure the other one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 study is measured with these choices; Apply measures it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No study measured.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 study measured.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} studies measured.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>; {count} could not be measured. The reasons are listed below.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>; press Apply to measure the other {left}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>analysis.scan_job</name>
    <message>
        <source>{readable} readable, {refused} refused.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking up the studies&apos; files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading the studies</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>database.completeness</name>
    <message>
        <source>fat images of {count} of {total} stations are missing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>water and fat in {count} common series; reading counts their stations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{missing}, or the names of their series give no contrast</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a station may be missing between series {first} and {last}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>water and fat images are missing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>water images of {count} of {total} stations are missing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 station</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stations}; a neck-to-knee scan usually has {count}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stations}, and {count} more fat series</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fat images are missing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>water images are missing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stations}, and {count} more water series</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} stations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stations}, or some of them repeated</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>series &apos;{name}&apos; names two contrasts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} of {total} stations</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>database.import_sources</name>
    <message>
        <source>Looking for files that were not read</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>database.import_summary</name>
    <message>
        <source>{studies} added, {dixon} of them with a Dixon scan; {images} images.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} sources were not imported ({names}). The first: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 study with a Dixon scan added; {images} images.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 file was not read: it is not DICOM.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} files were not read: they are not DICOM.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 DICOM file was refused: it is damaged or incomplete.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} DICOM files were refused: they are damaged or incomplete.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 study added, which has no Dixon scan; {images} images.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} studies</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No new images were found. They may be in the database already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{images} images of known studies added.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>database.phantom_study</name>
    <message>
        <source>Making the phantom</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>database.study_files</name>
    <message>
        <source>Import the study, or check the UID.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Connect the disk they are on, or delete the study in the module DICOM and import it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slicer&apos;s DICOM database contains no images of study {uid}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slicer&apos;s DICOM database lists {count} files of study {uid}, but {gone} of them were not found</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>database.study_list</name>
    <message>
        <source>Slicer&apos;s DICOM database is not open</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open the module DICOM and choose or create a database there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check that you may read its folder, or choose another database in the module DICOM.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slicer&apos;s DICOM database is in use, for example by an import</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wait until that ends and refresh the list.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open the module DICOM, which updates it, or choose another database there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slicer&apos;s DICOM database cannot be read ({error})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the file of Slicer&apos;s DICOM database has an unknown layout ({error})</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>database.unpack</name>
    <message>
        <source>Choose another folder for temporary files in Slicer&apos;s application settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unpacking {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Free disk space, or choose another folder for temporary files in Slicer&apos;s application settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the archive of an imaging study.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>folder &apos;{folder}&apos; cannot be written to ({reason})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there is too little disk space for {size:.0f} MB in folder &apos;{folder}&apos;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the archive &apos;{name}&apos; contains no DICOM files</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>engine.add_module_job</name>
    <message>
        <source>Cancelled. No inference module was added.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adding the inference module: copying and checking its files</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>engine.import_engine</name>
    <message>
        <source>the engine that belongs to MIMIR is not in &apos;{folder}&apos;. Install the extension again. If you load the module from a clone, clone the complete repository.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>another engine, in &apos;{other}&apos;, was loaded before the one in &apos;{folder}&apos;. Restart Slicer. If that doesn&apos;t help, run pip_uninstall(&apos;mimir-engine&apos;) in Slicer&apos;s Python console.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>engine.inference_modules</name>
    <message>
        <source>1 measurement: {names}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} measurements: {names}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only the person who added it can remove it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close the program that uses it, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>inference module &apos;{name}&apos; was not found</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>you did not add the inference module {name} in &apos;{folder}&apos;</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the inference module {name} cannot be removed from &apos;{folder}&apos; ({reason})</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>engine.install_job</name>
    <message>
        <source>Cancelled. The packages are not installed, or only in part.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The download is up to 3 GB and takes some minutes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copying the packages into Slicer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again and agree to the installation. You can view studies without them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All packages are installed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The download is about 50 MB. For an NVIDIA card, choose PyTorch in the options.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The download is at most 20 MB.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MIMIR needs packages that are not installed in Slicer or are too old: {packages}. {size} Install now?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restart Slicer, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch is installed with the extension PyTorch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Install it with the Extensions Manager (View menu) and restart Slicer; or choose ONNX Runtime in the options.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Agree to the installation, or write an HTML page (.html).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Installing {packages}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Installed: {packages}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Downloading {package} ({size})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Installing PyTorch; Slicer does not respond for some minutes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MIMIR cannot measure without these packages: {packages}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>packages could not be installed: {packages} ({kind})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The log names the cause. Check the internet connection and the proxy, and that {size} of disk space are free. For a computer without internet, download the packages on another one: pip download {packages}, then PythonSlicer -m pip install *.whl.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slicer must restart before it can use new packages: {packages}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PDF files cannot be written without this package: {packages}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>6 GB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>200 MB</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>engine.process</name>
    <message>
        <source>Check that this folder or program exists and may be used. The folder for temporary files is set in Slicer&apos;s application settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restart Slicer. If that doesn&apos;t help, run pip_uninstall(&apos;mimir-engine&apos;) in Slicer&apos;s Python console.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the system ended the engine&apos;s process</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The memory was probably full: close other programs, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the engine ended unexpectedly (exit code {code})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The log may contain the cause. If the memory was full, close other programs, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the engine cannot be started ({reason}: &apos;{path}&apos;)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>engine {version} in &apos;{path}&apos; was started, not {bundled} in &apos;{bundled_path}&apos;</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>engine.requirements</name>
    <message>
        <source>Press Apply in the module MIMIR and agree to the installation.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>packages are not installed in Slicer: {packages}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.MIMIRSubjectHierarchyPlugin</name>
    <message>
        <source>Measure with MIMIR</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.column_chooser</name>
    <message>
        <source>Click to sort. Right-click to choose the columns.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hide all</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.dicom_database</name>
    <message>
        <source>Choose a folder that you may write to in the module DICOM.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slicer&apos;s DICOM database could not be made in folder &apos;{folder}&apos; ({reason})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>unknown reason</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.import_job</name>
    <message>
        <source>The import was cancelled. Images added before stay in the database; a second import of the same source adds the rest.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adding images to the DICOM database</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.measure_from</name>
    <message>
        <source>Opens the module MIMIR with the selected studies ticked.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure with MIMIR</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.panel_view</name>
    <message>
        <source>Choose a folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose zip archives</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Zip archives (*.zip)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a zip archive</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.results_section</name>
    <message>
        <source>Write the report to (.html or .pdf)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write results to</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CSV files (*.csv)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reports (*.html *.pdf)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All groups</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.sample_data</name>
    <message>
        <source>MIMIR phantom</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.slicer_services</name>
    <message>
        <source>Slicer has no DICOM database yet. Create it in this folder?

{folder}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>without a DICOM database, Slicer cannot keep studies</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Press &quot;Create the database here&quot;, or open another in the module DICOM.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.chart_content</name>
    <message>
        <source>There is no chart: an earlier version measured this study. Measure it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No inference module measured this study.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No result is chosen.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The chart shows one study. Choose one in the results.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.cohort_rows</name>
    <message>
        <source>Patient ID</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Date</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>UK Biobank&apos;s participant number</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>UK Biobank&apos;s visit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Flags</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Study UID or file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not measured in this study</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{estimate}; {percent:g} % interval: {interval}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.finding_list</name>
    <message>
        <source>Severity</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Study</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>warning</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>note</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measured: {value:.3g} {unit}; limit: {threshold:.3g} {unit}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.first_steps</name>
    <message>
        <source>{missing} of {count} studies are no neck-to-knee Dixon scans in the DICOM database.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This study is no neck-to-knee Dixon scan in Slicer&apos;s DICOM database.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.measurement_rows</name>
    <message>
        <source>The network&apos;s score is {score:.2f}: 0 is female, 1 is male.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Interval</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measurement</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ticked ones are in the chart.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Estimate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Other ways</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same quantity by other ways, each by its own definition: point at one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Percentile</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Place in the reference population.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>z-score</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Standard deviations from the reference&apos;s mean.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Flags</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Explained below the table.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lower bound</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Upper bound</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>SD</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Standard deviation of the estimate.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Group</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Inference module</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name in files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{percent} interval</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.module_picker</name>
    <message>
        <source>Inference module</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measures</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Valid for</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder: {path}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All files of {name} are unchanged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The inference module {name} was removed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Licence: {licence}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Imported from {source}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measures {measurements}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Valid for {studies}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.panel_state</name>
    <message>
        <source>Exchange water and fat back, and measure {studies}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A run of {total} studies was interrupted after {done}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The volumes chosen in the scene are measured, too.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} studies are ticked.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The ticked inference modules are demonstrations: their values say nothing about people.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{studies} may be incomplete. If so, the reasons are listed after the run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{studies} cannot be measured. The list gives the reasons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Studies outside an inference module&apos;s validated range are measured, too. Their values are flagged; their errors are unknown.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The fused volumes of {studies} need about {gigabytes:.0f} GB of memory. The tables do not need them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No inference module is ticked: the studies are only measured directly.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 study</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A run of 1 study was interrupted before its results were shown.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slicer&apos;s DICOM database contains no neck-to-knee Dixon study. Import a folder or UK Biobank&apos;s zip archives with the buttons below, or press &quot;Try it&quot;: MIMIR then makes a synthetic body, measures it and shows the result.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No study matches the filter.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No study is ticked; the volumes chosen in the scene are measured.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No study is ticked.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 study is ticked (hidden by the filter).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} studies are ticked ({hidden} hidden by the filter).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading the headers of {studies}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checking the images of {studies}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tick at least one study.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>None of the ticked studies can be measured. The list gives the reasons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The segmentation belongs to one study: choose that study alone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 study is ticked.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} studies</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measures {studies}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slicer has no DICOM database yet. It keeps the studies that you import. Its folder would be {folder}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.panel_words</name>
    <message>
        <source>or tick &quot;Measure outside the validated range, too&quot;: their values are flagged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close other programs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy it to a fast disk, and try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select the inference module in the list, and press Verify.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Press &quot;Exchange water and fat back&quot;, or get another reconstruction.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure them one after the other, or rename the files.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure it alone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename the file or folder: use letters, digits, - and _ only.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add it as it is.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Press Discard, and measure the studies again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>, or measure it with MIMIR&apos;s command line: the decoder needs a newer NumPy than that of this Slicer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>, or install a decoder: enter {command} in Slicer&apos;s Python console, and try again</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.presenter</name>
    <message>
        <source>Remove the inference module {name}? Its files are deleted from this computer.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.result_browser</name>
    <message>
        <source>The measurements cannot be read: an earlier version of MIMIR made them, or the scene is damaged. Measure the study again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No results to write.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repaired: {label}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Written to {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cohort of {count} studies</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MIMIR cohort {date}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.result_findings</name>
    <message>
        <source>{measurement}, {value} {unit}, does not go with what the images show</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measured directly: {quantities}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It is not known whether this scan is like those that {module} was made for</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The inference module does not describe its scans.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The scan is unlike the {reference}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look at the images. Do not rely on the values of {module}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look at the images, and do not rely on this value.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The scan is like the {reference}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It differs most in:</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.results_presenter</name>
    <message>
        <source>There is no profile. Select one study, or measure it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There are no volumes. Select one study, or measure it with volumes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select one study to write its report.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Report written to {name}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.scene_choice</name>
    <message>
        <source>Choose the water volume and the fat volume, or neither.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a different volume for each contrast.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.study_picker</name>
    <message>
        <source>Patient</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Date</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Status</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Description</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>complete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>incomplete: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>unclear: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>checked</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>readable</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{word}, 1 finding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{word}, {count} findings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>refused: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Patient ID {id}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>presenter.study_scans</name>
    <message>
        <source>Readable: {stations}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cannot be measured: {reason} ({code})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Headers and images were checked: {stations}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 station</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cannot be measured: see the findings. ({code})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} stations</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.charts</name>
    <message>
        <source>middle 95 % of the reference</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>demonstration</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>research use only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>SD from the training mean (dashed: ±1.96)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>row of the table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{percent:g} % intervals</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>mean of the reference</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>estimates</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{label}: {value:.4g} {unit} ({percent:g} %: {low:.4g} to {high:.4g})</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.cohort</name>
    <message>
        <source>all digits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>SD</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Patient ID</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Date</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Flags</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Study UID or file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MIMIR cohort</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lower {percent}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>upper {percent}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.corner_text</name>
    <message>
        <source>research use only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>and {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>TWO PATIENTS</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>TWO STUDIES</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.csv_files</name>
    <message>
        <source>score: 0 is female, 1 is male</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.fused_mark</name>
    <message>
        <source>Measure the original study, or load it again with MIMIR.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the transform, measure the original study, or load it again with MIMIR.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the water volume first, then the fat volume of the same study.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is not a water or fat volume fused by MIMIR, so it may be cropped and resampled differently</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&apos;{name}&apos; was changed after MIMIR fused it: it was transformed, cropped or resampled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&apos;{water}&apos; and &apos;{fat}&apos; are not water and fat of one study, in this order</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.label_map</name>
    <message>
        <source>Draw one in the module Segment Editor, or choose another segmentation.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put them into two segmentations, and measure one after the other.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Create its representation &quot;Binary labelmap&quot; in the module Segmentations.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the segmentation &apos;{name}&apos; has no segment with voxels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the segments &apos;{one}&apos; and &apos;{other}&apos; share voxels ({count} voxels are in two segments)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the segmentation &apos;{name}&apos; has surfaces, but no grid of voxels</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.measurement_table</name>
    <message>
        <source>{side} bound of the {percent} interval as computed; it may lie below zero</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} (all digits)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measurement</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Estimate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not below zero if the quantity cannot be negative</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Percentile</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>z-score</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Group</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Flags</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Note</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Other ways</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the same quantity by other ways, each by its own definition</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the estimate, in the row&apos;s unit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>standard deviation of the estimate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>score of the sex: 0 is female, 1 is male</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>inference module</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>full name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>standard deviations from {reference}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>place among {reference}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>female or male</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>as in predictions.csv</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lower</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>upper</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{percent} interval</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look at the images. Do not rely on the values of {module}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.node_marks</name>
    <message>
        <source>Water</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fat fraction</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Projection</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measurements</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chart</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chart data</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Profile</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Profile data</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parts of the body</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.profile</name>
    <message>
        <source>body</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lean tissue</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>research use only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>area across the body (cm²)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>z (mm), head at the top</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.projection_places</name>
    <message>
        <source>water</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fat fraction</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>coronal</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>sagittal</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.report</name>
    <message>
        <source>the scene does not hold the whole result of this study</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure the study again. Results of earlier versions have no reports.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.shown_label</name>
    <message>
        <source>Segmentation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{segment}: volume (segment)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{segment}: fat fraction (segment)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{segment}: fat fraction inside (segment)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>measured in the segmentation, without a network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{percent} of its voxels lie at the edge of the view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cannot be measured: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.shown_measurement</name>
    <message>
        <source>measured directly in the images, without a network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>score {score}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cannot be measured: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{label} (direct)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.subject</name>
    <message>
        <source>No name</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.tables</name>
    <message>
        <source>Research use only, not for diagnosis.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.volume_file</name>
    <message>
        <source>Choose another volume.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the transform, or harden it in the module Data.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check that the disk has space and that you may write there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&apos;{name}&apos; has no voxels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&apos;{name}&apos; has several values in each voxel, such as colours</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is warped by a transform that is not linear</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the file &apos;{path}&apos; cannot be written ({error})</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>scene.volumes</name>
    <message>
        <source>Input of the networks: water, fat, fat fraction. Not in patient space.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>views.body_views</name>
    <message>
        <source>Fat fraction (%)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>views.chart_view</name>
    <message>
        <source>research use only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No measurement is shown in the table, or none is ticked.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No result is chosen.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>views.layouts</name>
    <message>
        <source>MIMIR</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MIMIR with fat in 3D</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MIMIR profile</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chart</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Table</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
