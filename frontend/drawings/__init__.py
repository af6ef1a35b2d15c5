"""Small drawings that the server makes as SVG, in the page's own ink. Pure: numbers in, text out."""
