using GrpcShm.Differential;

return await DifferentialCommand.Create().Parse(args).InvokeAsync();
