"""What every room stands on: errors, parameters, paths, files, times and text."""
