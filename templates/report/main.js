// Parts in the order of the page; what a run lacks, its part leaves out.
maps();
traces();
ranks();
document.documentElement.dataset.ready = "yes";
