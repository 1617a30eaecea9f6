status 0
stderr plot-data: 12 events were lost in 1 place: the picture is incomplete
set encoding utf8
set terminal pngcairo noenhanced size 1200,800 background "#ffffff" font "sans,10.5" linewidth 1
set border 3 linecolor rgb "#666666" linewidth 0.8
set tics nomirror out scale 0.5 textcolor rgb "#222222"
set grid xtics ytics linetype 1 linecolor rgb "#e4e4e4" linewidth 0.6
set key at graph 1.015, graph 1 left top vertical Left reverse samplen 2 spacing 1.25
set style fill solid 1 noborder
unset label
unset object
unset arrow
unset colorbox
set xlabel
set ylabel
set title
set rmargin at screen 0.8683
set xrange [-0.11:11.11]
set xtics ("01:38:32" 1.530004, "01:38:34" 3.530004, "01:38:36" 5.530004, "01:38:38" 7.530004, "01:38:40" 9.530004)
at_x(v) = v
set xlabel "time (UTC, 2026-11-21)"
# begin end sum from to
$flow0_0 << END
0.000000000 0.110301728 1 0 1.68912706
0.110301728 1.184043552 1 0 0.931322575
1.184043552 2.257785376 1 0 0.931322575
2.257785376 3.331527200 1 0 0.931322575
3.331527200 4.405269024 1 0 0.931322575
4.405269024 5.479010848 1 0 0.931322575
5.479010848 6.552752672 1 0 0.931322575
6.552752672 7.626494496 1 0 0.931322575
7.626494496 8.700236320 1 0 0.931322575
8.700236320 9.773978144 1 0 0.931322575
9.773978144 10.847719968 1 0 0.931322575
10.847719968 11.000000000 1 0 1.63129229
11.000000000 11.000000000 0 0 1.63129229
END
set yrange [0:1.77358340953999]
set ytics ("0" 0, "0.5" 0.5, "1.0" 1, "1.5" 1.5)
at_y(v) = v
set ylabel "events per second"
set label "Probes" at screen 0.5, screen 0.9750 center
set label "12 events, 12 lost" at screen 0.5, screen 0.9500 center textcolor rgb "#666666"
set tmargin at screen 0.9200
plot $flow0_0 using 1:5 with fillsteps fillcolor rgb "#cfe2f1" notitle, $flow0_0 using 1:5 with steps linecolor rgb "#0072b2" linewidth 1.3 notitle, keyentry with boxes fillcolor rgb "#f7c9c9" fillstyle solid title "events lost"
set output
