"""What a person sees of a run: progress, costs, pages. The only wing that prints.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    status.py       [0] the states of a picture, and what is known of one
    sources.py      [0] the pictures that a page shows as photo and styles
    progress.py     [1] progress on stderr, as a bar, lines or JSON
    costs.py        [0] losses.csv and the plot of the costs
    chart.py        [0] the costs as lines on a logarithmic axis, as a page draws them
    pages.py        [1] what all pages share: templates, words, embedded pictures
    run_page.py     [2] report.html of a run
    live_view.py    [1] what there is to see of the current run
    watch_server.py [2] the live view, served to browsers on this machine
"""
