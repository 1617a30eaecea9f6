status 0
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
set xrange [0:1.176]
set xtics ("0" 0, "0.5" 0.5, "1.0" 1)
at_x(v) = v
set label "Events by comm" at screen 0.5, screen 0.9750 center
set label "7 events" at screen 0.5, screen 0.9500 center textcolor rgb "#666666"
set tmargin at screen 0.9200
# place size text
$bars0 << END
0 1 "1"
1 1 "1"
2 1 "1"
3 1 "1"
4 1 "1"
5 1 "1"
6 1 "1"
END
set yrange [6.5:-0.5]
set grid noytics
set lmargin at screen 0.2633
set ytics ("comm=" 0, "\045\045s\045\045n50\045\045" 1, "</title><script>alert(1)</script>\046a…" 2, "\134x1b\133\063\061m" 3, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" 4, "\173/Symbol a\175_b\136c \046\173d\175\176e\173.8f\175" 5, "��é中��" 6)
unset key
plot $bars0 using (0):1:(0):2:($1-0.36):($1+0.36) with boxxyerror fillcolor rgb "#0072b2" fillstyle solid 1 noborder notitle, $bars0 using ($2<0?0:$2):1:3 with labels left offset character 0.7,0 notitle
set key
set grid ytics
set output
