status 0
stderr plot-data: 12 events were lost in 1 place: the picture is incomplete
set encoding utf8
set terminal svg noenhanced size 1200,800 background "#ffffff" font "sans-serif,13.5" linewidth 1
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
set yrange [0:3150000]
set ytics ("0" 0, "0.5 ms" 500000, "1.0 ms" 1000000, "1.5 ms" 1500000, "2.0 ms" 2000000, "2.5 ms" 2500000, "3.0 ms" 3000000)
at_y(v) = v
set ylabel "dur_ns"
set label "dur_ns over time" at screen 0.5, screen 0.9750 center
set label "12 values, 12 lost" at screen 0.5, screen 0.9500 center textcolor rgb "#666666"
set tmargin at screen 0.9200
$points0_0 << END
0.000000000 3000000
1.000000000 3000000
2.000000000 3000000
3.000000000 3000000
4.000000000 3000000
5.000000000 3000000
6.000000000 3000000
8.000000000 3000000
9.000000000 3000000
10.000000000 3000000
11.000000000 3000000
END
$points0_1 << END
7.000000000 3000000
END
plot $points0_0 using 1:(at_y($2)) with linespoints linecolor rgb "#0072b2" linewidth 1.2 pointtype 7 pointsize 0.5 notitle, keyentry with points pointtype 7 linecolor rgb "#0072b2" title "ok=1", $points0_1 using 1:(at_y($2)) with linespoints linecolor rgb "#d55e00" linewidth 1.2 pointtype 7 pointsize 0.5 notitle, keyentry with points pointtype 7 linecolor rgb "#d55e00" title "ok=0", keyentry with boxes fillcolor rgb "#f7c9c9" fillstyle solid title "events lost"
set output
