module triad.invalid/lab-programs

go 1.26
