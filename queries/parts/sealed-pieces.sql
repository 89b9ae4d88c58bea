-- a sealed value of which something was kept: its key, the ciphertext, and what was kept in clear
'"1\.([0-9]+\.[0-9a-f]{32})\.([A-Za-z0-9_-]+)"\}(.*)\}\}$'
