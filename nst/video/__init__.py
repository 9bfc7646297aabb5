"""One clip: moving pictures in, the same painted out, without flicker.

In the order in which a clip passes them. The number is a layer: a module imports only modules of lower floors, and of
this folder only those with a lower number. PyAV and OpenCV are imported when they are used.

    clips.py    [0] clips read frame by frame: videos, animations, numbered pictures
    flow.py     [0] how a frame comes from an earlier one
    mask_clips.py [1] masks that are clips
    times.py    [2] which frames are redrawn
    scenes.py   [1] where a clip repeats a frame, where it cuts, and which earlier scene is seen again
    frames.py   [2] the frames redrawn one after another
    store.py    [1] the pictures of the frames while a run goes on, and the clip made of them
    plan_clip.py [3] a clip to make, checked before the long work
    clip_state.py [3] a run while it goes on, and as a checkpoint
    live_clip.py [4] the frames in the live view, as they are done
    scene_folder.py [4] the folder of a clip whose scenes are made side by side
    run_clip.py [5] a run, from its request to the clip
    run_scene.py [6] a run of a single scene, whose frames others join

frame   An image of the clip; its picture is what it is redrawn as.
scene   The frames between two cuts. Its first frame is redrawn as a photo is.
flow    For each pixel of a frame, how far away it is in an earlier frame.
known   Of a pixel: shown by an earlier frame too.
age     For how many frames a pixel has stayed in the picture.
memory  All that the next frame depends on.
ending  All of a scene that a later scene may go on from.
lot     Frames that are written together. The open lot is not written yet.
"""
