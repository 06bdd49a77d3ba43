using GrpcShm.Samples.Comparison.CommandLine;

return await ComparisonCommand.Create().Parse(args).InvokeAsync();
