"""From stained biopsies to one row per biopsy, stain and region: DAB-positive area, positive cells, scores of readers.

Convention: an image is (row, column, channel) of 8-bit red, green and blue; optical density is log10(white / intensity);
an area fraction is 0 to 1; micrometres per pixel are read, never guessed. Nothing here knows the outcome of a study.
"""
