-- a sealed value of which something was kept; its groups are the key's name, the ciphertext, and what was kept in clear
'\A\{"M":\{"\$enc":\{"S":"1\.([0-9]+\.[0-9a-f]{32})\.([A-Za-z0-9_-]+)"\}(.*)\}\}\z'
