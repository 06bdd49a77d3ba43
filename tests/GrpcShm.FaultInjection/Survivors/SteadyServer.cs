using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using GrpcShm.FaultInjection.Planning;
using GrpcShm.FaultInjection.Processes;
using GrpcShm.FaultInjection.Reporting;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.FaultInjection.Survivors;

/// <summary>A server process whose clients die.</summary>
internal sealed class SteadyServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Host _host;
    private readonly TestChannel _channel;
    private readonly Control.ControlClient _control;

    private SteadyServer(Host host, TestChannel channel)
    {
        _host = host;
        _channel = channel;
        _control = new Control.ControlClient(channel);
    }

    public int ProcessId => _host.Id;

    public static async Task<SteadyServer> StartAsync(Endpoints endpoints)
    {
        var host = await Host.StartAsync(
        [
            "serve",
            "--listen", endpoints.Steady.ToString(),
            "--listen", endpoints.Control.ToString(),
            .. endpoints.Arguments,
        ]);
        return new SteadyServer(host, ChannelFactory.CreateChannel(endpoints.Control, new ClientSetup()));
    }

    /// <summary>The managed memory in use in the server, in bytes.</summary>
    public async Task<long> MeasureMemoryAsync() => (await _host.AskAsync("memory", HostMessage.Done)).Number;

    /// <summary>Makes one of its clients die, and checks the end of the client's calls and connection.</summary>
    public async Task TryAsync(Fault fault, Host victim, Bystander bystander, FaultSettings settings, Findings findings)
    {
        var before = await _control.StatsAsync(new Empty());
        var execution = new Execution(fault, victim, bystander, findings);
        await execution.ArmAsync();
        await victim.TellAsync($"run {fault.Kind}");
        var died = await execution.DieAsync(victim.WhenRoundAsync);
        await WatchAsync(fault, before, died, settings, findings);
        await victim.WhenGoneAsync();
        await execution.ServeOthersAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _host.DisposeAsync();
    }

    private async Task WatchAsync(
        Fault fault, StatsResponse before, long died, FaultSettings settings, Findings findings)
    {
        StatsResponse now;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (true)
        {
            now = await _control.StatsAsync(new Empty());
            var elapsed = Stopwatch.GetElapsedTime(died);
            if (now.CallsInFlight == 0 && now.ConnectionsOpen <= before.ConnectionsOpen)
            {
                findings.Noticed(fault, elapsed, settings.Within);
                break;
            }

            if (elapsed > Patience)
            {
                var connections = now.ConnectionsOpen - before.ConnectionsOpen;
                findings.Hang(fault, $"{now.CallsInFlight} calls and {connections} connections of a dead client");
                break;
            }

            await timer.WaitForNextTickAsync();
        }

        if (now.CallsBroken > before.CallsBroken)
        {
            findings.Wrong(
                fault,
                $"{now.CallsBroken - before.CallsBroken} handlers ended by an exception without being cancelled");
        }
    }
}
