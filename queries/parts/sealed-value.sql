-- a sealed value in an image's text; its group is the token
'\{"M":\{"\$enc":\{"S":"1\.[0-9]+\.([0-9a-f]{32})\.[A-Za-z0-9_-]*"\}'
  || '(,"keep":\{"S":"([^"\\]|\\.)*"\}|)\}\}'
