// RUN: mamba-opt %s -verify-diagnostics --split-input-file

// expected-error@+1 {{axis 'd' stands twice in an access}}
func.func private @access_twice() attributes {a = #ssm.access<d, d>}

// -----

// expected-error@+1 {{an access has d or g, not both}}
func.func private @access_group_and_channel() attributes {a = #ssm.access<d, g>}

// -----

// expected-error@+1 {{an access has l or l/T, not both}}
func.func private @access_steps_and_segments() attributes {a = #ssm.access<l, l/8>}

// -----

// expected-error@+1 {{an access has segments of 0 steps, expected one step or more in l/T, and 0 without it}}
func.func private @access_no_steps() attributes {a = #ssm.access<b, l/0>}

// -----

// expected-error@+1 {{unknown axis 'segment', expected one of b, l, d, n, g, l/T}}
func.func private @access_name() attributes {a = #ssm.access<segment>}

// -----

// expected-error@+1 {{schedule's lanes is 3, expected a power of two from 1 to 32}}
func.func private @lanes() attributes {a = #ssm.schedule<lanes = 3>}

// -----

// expected-error@+1 {{schedule's lanes is 64, expected a power of two from 1 to 32}}
func.func private @many_lanes() attributes {a = #ssm.schedule<lanes = 64>}

// -----

// expected-error@+1 {{schedule's items is 0, expected from 1 to 32}}
func.func private @items() attributes {a = #ssm.schedule<items = 0>}

// -----

// expected-error@+1 {{schedule's warps_l is 6, expected a power of two from 1 to 32}}
func.func private @warps_l() attributes {a = #ssm.schedule<warps_l = 6>}

// -----

// expected-error@+1 {{schedule's warps_l is 33, expected from 1 to 32}}
func.func private @warps_of_relay() attributes {a = #ssm.schedule<warps_l = 33, relay = 1>}

// -----

// expected-error@+1 {{schedule's apart is 3, expected a power of two from 1 to 16}}
func.func private @apart() attributes {a = #ssm.schedule<apart = 3>}

// -----

// expected-error@+1 {{schedule's fma_exps is 9, expected from 0 to 8}}
func.func private @fma_exps() attributes {a = #ssm.schedule<fma_exps = 9>}

// -----

// expected-error@+1 {{schedule's carry_parts is 65, expected from 1 to 64}}
func.func private @carry_parts() attributes {a = #ssm.schedule<carry_parts = 65>}

// -----

// expected-error@+1 {{schedule's last_chunk is 0, expected from 1 to 16}}
func.func private @last_chunk() attributes {a = #ssm.schedule<last_chunk = 0>}

// -----

// expected-error@+1 {{schedule's atomics is 2, expected from 0 to 1}}
func.func private @atomics() attributes {a = #ssm.schedule<atomics = 2>}

// -----

// expected-error@+1 {{schedule's packed is 2, expected from 0 to 1}}
func.func private @packed() attributes {a = #ssm.schedule<packed = 2>}

// -----

// expected-error@+1 {{schedule's relay is 2, expected from 0 to 1}}
func.func private @relay() attributes {a = #ssm.schedule<relay = 2>}

// -----

// expected-error@+1 {{schedule's split is 1 with lanes = 1, items = 8, warps_l = 1 and relay = 0, expected two or more lanes, of at most 32 items together, and warps along L only where they take turns}}
func.func private @split() attributes {a = #ssm.schedule<split = 1>}

// -----

// expected-error@+1 {{schedule's split is 1 with lanes = 4, items = 16, warps_l = 1 and relay = 0, expected two or more lanes, of at most 32 items together}}
func.func private @split() attributes {a = #ssm.schedule<lanes = 4, split = 1, items = 16>}

// -----

// expected-error@+1 {{schedule's split is 1 with lanes = 2, items = 8, warps_l = 2 and relay = 0, expected two or more lanes, of at most 32 items together}}
func.func private @split() attributes {a = #ssm.schedule<lanes = 2, split = 1, warps_l = 2>}

// -----

// expected-error@+1 {{schedule's items * channels * unroll is 128 with stages = 2, expected at most 64}}
func.func private @split() attributes {a = #ssm.schedule<lanes = 2, split = 1, unroll = 8, stages = 2>}

// -----

// expected-error@+1 {{schedule's relay is 1 with warps_l = 1 and warps_d = 1, expected two or more warps along L that take turns and one along the channels}}
func.func private @relay_alone() attributes {a = #ssm.schedule<relay = 1>}

// -----

// expected-error@+1 {{schedule's relay is 1 with warps_l = 4 and warps_d = 2, expected two or more warps along L that take turns and one along the channels}}
func.func private @relay_along_channels() attributes {a = #ssm.schedule<warps_l = 4, warps_d = 2, relay = 1>}

// -----

// expected-error@+1 {{schedule's channels is 3, expected a power of two from 1 to 8}}
func.func private @channels() attributes {a = #ssm.schedule<channels = 3>}

// -----

// expected-error@+1 {{schedule's warps_d is -1, expected from 1 to 32}}
func.func private @warps_d() attributes {a = #ssm.schedule<warps_d = -1>}

// -----

// expected-error@+1 {{schedule's chunks is 1025, expected from 1 to 1024}}
func.func private @chunks() attributes {a = #ssm.schedule<chunks = 1025>}

// -----

// expected-error@+1 {{schedule's unroll is 17, expected from 1 to 16}}
func.func private @unroll() attributes {a = #ssm.schedule<unroll = 17>}

// -----

// expected-error@+1 {{schedule's stages is 3, expected from 1 to 2}}
func.func private @stages() attributes {a = #ssm.schedule<stages = 3>}

// -----

// expected-error@+1 {{schedule's items * channels * unroll is 128 with stages = 2, expected at most 64}}
func.func private @staged() attributes {a = #ssm.schedule<items = 16, channels = 2, unroll = 4, stages = 2>}

// -----

// expected-error@+1 {{schedule's handoff is 2, expected from 0 to 1}}
func.func private @handoff() attributes {a = #ssm.schedule<handoff = 2>}

// -----

// expected-error@+1 {{schedule's prefetch is 3, expected from 0 to 2}}
func.func private @prefetch() attributes {a = #ssm.schedule<prefetch = 3>}

// -----

// expected-error@+1 {{schedule's min_blocks is -1, expected from 0 to 32}}
func.func private @min_blocks() attributes {a = #ssm.schedule<min_blocks = -1>}

// -----

// expected-error@+1 {{schedule's warps_l * warps_d is 48, expected at most 32 (1024 threads)}}
func.func private @warps() attributes {a = #ssm.schedule<warps_l = 16, warps_d = 3>}

// -----

// expected-error@+1 {{duplicate or unknown struct parameter name: threads}}
func.func private @unknown_field() attributes {a = #ssm.schedule<threads = 16>}

// -----

// expected-error@+1 {{schedule's vector is 12, expected a power of two from 1 to 64}}
func.func private @cpu_vector() attributes {a = #ssm.cpu_schedule<vector = 12>}

// -----

// expected-error@+1 {{schedule's items is 257, expected from 1 to 256}}
func.func private @cpu_items() attributes {a = #ssm.cpu_schedule<items = 257>}

// -----

// expected-error@+1 {{schedule's chunks is 0, expected from 1 to 1024}}
func.func private @cpu_chunks() attributes {a = #ssm.cpu_schedule<chunks = 0>}

// -----

// expected-error@+1 {{layout's unit dimension is -2, expected -1 (none) or a dimension}}
func.func private @layout_unit() attributes {a = #ssm.layout<unit = -2, align = 4>}

// -----

// expected-error@+1 {{layout's alignment is 12 bytes, expected 1, 2, 4, 8 or 16}}
func.func private @layout_align() attributes {a = #ssm.layout<unit = 0, align = 12>}

// -----

// expected-error@+1 {{'func.func' op layout's unit dimension 3 is no dimension of 'tensor<?x?x?xf32>'}}
func.func private @layout_of_tensor(tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = 3, align = 4>})

// -----

// expected-error@+1 {{'func.func' op layout's unit dimension 0 is no dimension of 'f32'}}
func.func private @layout_of_scalar(f32 {ssm.layout = #ssm.layout<unit = 0, align = 4>})

// -----

// expected-error@+1 {{'func.func' op layout's unit dimension 2 is no dimension of 'tensor<?x?xf32>'}}
func.func private @layout_of_result() -> (tensor<?x?xf32> {ssm.layout = #ssm.layout<unit = 2, align = 4>})

// -----

// expected-error@+1 {{layout's stride is that of dimension 1, expected one that is not the unit dimension}}
func.func private @layout_stride_of_unit() attributes {a = #ssm.layout<unit = 1, align = 4, stride = 64, dim = 1>}

// -----

// expected-error@+1 {{layout's stride is that of dimension -2, expected one that is not the unit dimension}}
func.func private @layout_stride_of_none() attributes {a = #ssm.layout<unit = 1, align = 4, stride = 64, dim = -2>}

// -----

// expected-error@+1 {{layout's stride is -64 along dimension 1, expected one element or more}}
func.func private @layout_stride_backwards() attributes {a = #ssm.layout<unit = 0, align = 4, stride = -64, dim = 1>}

// -----

// expected-error@+1 {{layout's stride is 64 along dimension -1, expected one element or more}}
func.func private @layout_stride_of_no_dimension() attributes {a = #ssm.layout<unit = 0, align = 4, stride = 64, dim = -1>}

// -----

// expected-error@+1 {{'func.func' op layout's fixed dimension 3 is no dimension of 'tensor<?x?x?xf32>'}}
func.func private @layout_stride_of_tensor(tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = 2, align = 4, stride = 64, dim = 3>})

// -----

// expected-error@+1 {{'func.func' op found "ssm.name" = 3 : i64 on an argument or result, expected 'ssm.layout', a #ssm.layout, or 'ssm.name', a string}}
func.func private @name(f32 {ssm.name = 3})

// -----

// expected-error@+1 {{'func.func' op found unknown or malformed attribute "ssm.channel_multiple" = 0 : i64, expected 'ssm.channel_multiple' or 'ssm.length_multiple', a positive i64, 'ssm.plan' or 'ssm.launch', a dictionary, or 'ssm.on_fma', a unit attribute}}
func.func private @channel_multiple() attributes {ssm.channel_multiple = 0 : i64}

// -----

// expected-error@+1 {{'func.func' op found unknown or malformed attribute "ssm.length_multiple" = 16 : i32}}
func.func private @length_multiple() attributes {ssm.length_multiple = 16 : i32}

// -----

// expected-error@+1 {{'func.func' op found unknown or malformed attribute "ssm.plan" = 1 : i64}}
func.func private @plan() attributes {ssm.plan = 1}

// -----

// expected-error@+1 {{unknown attribute `lattice` in dialect `ssm`}}
func.func private @unknown() attributes {a = #ssm.lattice<1>}
