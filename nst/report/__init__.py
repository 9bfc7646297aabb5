"""Progress, costs and pages: everything that people, programs and browsers are told of a run or a batch.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number. Only this wing of nst/ prints.

    status.py       [0] the states of a run and of a batch's picture
    sources.py      [0] the photo and the styles of a run, as pages show them
    renderers.py    [1] what is printed to stderr: a bar, lines or JSON
    progress.py     [2] how far a run is, and the time left
    costs.py        [0] the costs as files: losses.csv and losses.png
    chart.py        [0] the costs as the lines of a page's chart
    pages.py        [1] the template engine, embedded pictures, words for times and settings
    run_page.py     [2] report.html of a run
    clip_page.py    [3] report.html of a clip
    live_view.py    [1] what a browser may see of the current run
    watch_server.py [2] the server of the live view
    browser.py      [0] pages and pictures opened in a browser

run          The making of one picture, from its inputs to its result.
batch        Many runs of one call. Each makes a picture of the batch; in JSON such a run is a job.
step         One evaluation of the cost, see transfer/state.py. Steps are numbered over all scales of a run.
scale        A size at which a run works, see transfer/scales.py; named on pages by its long side in px.
cost         The total, and each of its named parts, at a step.
listener     A function that a run calls after each step with (step, picture, state), see OnStep in transfer/state.py.
state        Where a run or a batch's picture is, one of the words in status.py. The state that a listener gets is
             another thing: all that is needed to resume the run.
status       The state of a batch's picture with all else that is known of the picture.
sources      The photo and the styles of a run.
snapshot     The picture after some step, kept as a file of its own.
record       All that is needed to make a picture again, see run/record.py.
warning      A line for the user about a run that goes on.
event        Something that progress is told: a step, a warning, the end of a picture.
renderer     What prints events: Lines for people, JsonLines for programs.
page         report.html of a run or of a batch: one file that needs no network.
card         A picture of a batch on the page of the batch.
reading      The costs at a step of a page's chart, as shown to whoever points at that step or goes there by the keys.
large view   A picture of a page over the whole window, see templates/large_view.js.
live view    What a browser may see of a run that goes on.
version      The number of changes to the live view so far. A browser waits for a version that it has not seen.
payload      The bytes of a file or of an HTTP answer.
"""
