mod incomplete_timeline;
