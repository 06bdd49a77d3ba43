return await GrpcShm.FaultInjection.FaultInjectionCommand.Create().Parse(args).InvokeAsync();
