using System.Diagnostics;
using Grpc.Core;
using GrpcShm.FaultInjection.Planning;
using GrpcShm.FaultInjection.Processes;
using GrpcShm.FaultInjection.Reporting;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;
using GrpcShm.Transport;

namespace GrpcShm.FaultInjection.Survivors;

/// <summary>
/// This process as a client whose servers die. For each mode it keeps one channel for all servers, and the channel must
/// find each successor by itself.
/// </summary>
internal sealed class SteadyClient(Endpoints endpoints, BrokenSurvivor broken) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<SharedMemoryMode, TestChannel> _kept =
        new[] { SharedMemoryMode.Http2, SharedMemoryMode.Direct }
        .ToDictionary(mode => mode, mode => ChannelFactory.CreateChannel(endpoints.Mortal, endpoints.Setup(mode)));

    /// <summary>Makes a server die, and checks the end of the calls to it.</summary>
    public async Task TryAsync(Fault fault, Host victim, Bystander bystander, FaultSettings settings, Findings findings)
    {
        await victim.AskAsync("listen", HostMessage.Listens);
        await GreetSuccessorAsync(fault, findings);

        var execution = new Execution(fault, victim, bystander, findings);
        await execution.ArmAsync();
        List<Task<Status?>> calls =
        [
            CallOnAsync(fault),
            EndOfAsync(PendingCalls.StartAsync(Client(fault.Mode), fault.Kind, fault.ToString(), Task.CompletedTask)),
        ];
        if (fault.NeedsStop)
        {
            await victim.TellAsync("stop");
        }

        var died = await execution.DieAsync(() => GoOnAsync(fault, findings));
        await WatchAsync(fault, calls, died, settings, findings);
        await victim.WhenGoneAsync();
        await execution.ServeOthersAsync();
    }

    public void Dispose()
    {
        foreach (var channel in _kept.Values)
        {
            channel.Dispose();
        }
    }

    private async Task<Status?> EndOfAsync(Task call)
    {
        try
        {
            await call;
            return null;
        }
        catch (RpcException exception)
        {
            return await broken.TellAsync(exception.Status);
        }
    }

    private TestService.TestServiceClient Client(SharedMemoryMode mode) => new(_kept[mode]);

    /// <summary>Checks that the channels that lost the last server find this one.</summary>
    private async Task GreetSuccessorAsync(Fault fault, Findings findings)
    {
        foreach (var mode in _kept.Keys)
        {
            try
            {
                await Client(mode).NothingAsync(
                    new Google.Protobuf.WellKnownTypes.Empty(), deadline: DateTime.UtcNow + Patience);
            }
            catch (RpcException exception)
            {
                findings.NotServed(fault, $"by the successor in mode {mode}: {exception.Status}");
            }
        }
    }

    /// <summary>Connects, calls and disconnects until a call fails.</summary>
    private async Task<Status?> CallOnAsync(Fault fault)
    {
        while (true)
        {
            using var channel = ChannelFactory.CreateChannel(endpoints.Mortal, endpoints.Setup(fault.Mode));
            var client = new TestService.TestServiceClient(channel);
            if (await EndOfAsync(Exchanges.RunAsync(client, fault.Kind, CancellationToken.None)) is { } status)
            {
                return status;
            }
        }
    }

    /// <summary>
    /// Checks that a server that has stood still goes on with its calls, and accepts new calls unless it is stopping.
    /// </summary>
    private async Task GoOnAsync(Fault fault, Findings findings)
    {
        if (fault.NeedsStop)
        {
            return;
        }

        try
        {
            var options = new CallOptions(deadline: DateTime.UtcNow + Patience);
            await Client(fault.Mode).NothingAsync(new Google.Protobuf.WellKnownTypes.Empty(), options);
        }
        catch (RpcException exception)
        {
            findings.NotServed(fault, $"by the server that had stood still: {exception.Status}");
        }
    }

    private static async Task WatchAsync(
        Fault fault, List<Task<Status?>> calls, long died, FaultSettings settings, Findings findings)
    {
        try
        {
            await Task.WhenAll(calls).WaitAsync(Patience);
            findings.Noticed(fault, Stopwatch.GetElapsedTime(died), settings.Within);
        }
        catch (TimeoutException)
        {
            findings.Hang(fault, $"{calls.Count(call => !call.IsCompleted)} calls to a dead server");
            return;
        }

        foreach (var call in calls)
        {
            if (!fault.NeedsImpatience && await call is not { StatusCode: StatusCode.Unavailable })
            {
                findings.Wrong(fault, (await call)?.ToString() ?? "a pending call ended well");
            }
        }
    }
}
