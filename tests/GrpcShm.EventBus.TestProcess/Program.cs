using GrpcShm.EventBus.TestProcess;

// The other process of a test. It says "ready" on its standard output and ends when its standard input does.
using var way = new EventWay(args is [EventWay.LanesArgument, ..]);
return (way.UsesLanes ? args[1..] : args) switch
{
    ["costs"] => await CostsRole.RunAsync(),
    ["many"] => await ManyFigures.RunAsync(),
    ["fan-out", var sessions, var machines] => await ManyFigures.RunFanOutAsync(Number(sessions), Number(machines)),
    ["hub-without-bounds", var socket] => await HubRole.RunAsync(socket, HubRole.RaiseBounds),
    ["hub", var socket] => await HubRole.RunAsync(socket),
    ["hub", var socket, var maxEventSize] => await HubRole.RunAsync(
        socket, options => options.MaxEventSize = Number(maxEventSize)),
    ["answering-machine", var address, var machineId] => await AnsweringMachineRole.RunAsync(way, address, machineId),
    ["echoing-machine", var address, var machineId] => await EchoingMachineRole.RunAsync(way, address, machineId),
    ["machine", var socket, var machineId, var instanceId] => await MachineRole.RunAsync(socket, machineId, instanceId),
    ["sender", var socket, var source, var target, var count] =>
        await SenderRole.RunAsync(socket, source, target, Number(count)),
    ["counting-sender", var address, var source, var target, var first] =>
        await CountingSenderRole.RunAsync(way, address, source, target, Number(first)),
    ["counting-receiver", var address, var machineId] => await CountingReceiverRole.RunAsync(way, address, machineId),
    ["held-machine", var address, var machineId, var policy, var capacity] =>
        await HeldMachineRole.RunAsync(way, address, machineId, policy, Number(capacity)),
    ["producers", var address, var from, var to, var consumers, var seconds] => await ProducersRole.RunAsync(
        way, address, Number(from), Number(to), Number(consumers), Number(seconds)),
    ["consumers", var address, var from, var to, var producers] =>
        await ConsumersRole.RunAsync(way, address, Number(from), Number(to), Number(producers)),
    ["forger", var address, var instanceId, var source, var target, .. var senders] =>
        await ForgerRole.RunAsync(address, instanceId, source, target, senders),
    ["waiting-machine", var address, var machineId, var awaited] =>
        await WaitingMachineRole.RunAsync(way, address, machineId, awaited),
    ["left-behind", var address, var held] => await LeftBehindRole.RunAsync(way, address, held),
    ["many-machines", var address, var count] => await ManyMachinesRole.RunAsync(address, Number(count)),
    ["lane-receiver", var address, var machineId, var first, var how] =>
        await LaneReceiverRole.RunAsync(address, machineId, Number(first), how == "lane"),
    ["lane-figures", var address, var target, var how, var milliseconds] =>
        await LaneFiguresRole.RunAsync(address, target, how == "lane", Number(milliseconds) / 1000.0),
    ["lane-fault-source", var address] => await LaneFaultRole.RunSourceAsync(address),
    ["lane-fault-target", var address, var how] => await LaneFaultRole.RunTargetAsync(address, how == "loses"),
    _ => 2,
};

static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
