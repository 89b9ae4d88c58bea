-- each 32 bits of very many hashes, whose sum fits 64
cast(coalesce(sum(from_base(substr(digest, 1, 8), 16)), 0) as bigint) as sum_0,
cast(coalesce(sum(from_base(substr(digest, 9, 8), 16)), 0) as bigint) as sum_1,
cast(coalesce(sum(from_base(substr(digest, 17, 8), 16)), 0) as bigint) as sum_2,
cast(coalesce(sum(from_base(substr(digest, 25, 8), 16)), 0) as bigint) as sum_3,
cast(coalesce(sum(from_base(substr(digest, 33, 8), 16)), 0) as bigint) as sum_4,
cast(coalesce(sum(from_base(substr(digest, 41, 8), 16)), 0) as bigint) as sum_5,
cast(coalesce(sum(from_base(substr(digest, 49, 8), 16)), 0) as bigint) as sum_6,
cast(coalesce(sum(from_base(substr(digest, 57, 8), 16)), 0) as bigint) as sum_7
