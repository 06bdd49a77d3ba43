using GrpcShm.Fuzz;

return FuzzCommand.Create().Parse(args).Invoke();
