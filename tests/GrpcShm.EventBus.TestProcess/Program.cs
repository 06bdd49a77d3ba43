using GrpcShm.EventBus.TestProcess;

// The other process of a test. It says "ready" on its standard output and ends when its standard input does.
return args switch
{
    ["hub", var socket] => await HubRole.RunAsync(socket),
    ["machine", var socket, var machineId, var instanceId] => await MachineRole.RunAsync(socket, machineId, instanceId),
    ["sender", var socket, var source, var target, var count] =>
        await SenderRole.RunAsync(socket, source, target, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    _ => 2,
};
