using System.CommandLine;
using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;

namespace GrpcShm.TestHost.Commands;

/// <summary><c>call</c>: a client process that runs a scenario, so that a test can watch it or kill it.</summary>
internal sealed class CallCommand : Command
{
    private readonly Option<EndpointAddress> _address = new("--address")
    {
        Description = "The server: shm:NAME, uds:/PATH or tcp:PORT.",
        Required = true,
        CustomParser = result => EndpointAddress.Parse(result.Tokens[0].Value),
    };

    private readonly Option<string> _scenario = new("--scenario")
    {
        Description = "pending: opens calls of every kind and waits. churn: reads numbers from standard input, and for "
            + "each connects and disconnects as often as the number says. attempt: makes a call each time standard "
            + "input asks for it, and reports the result. exchange: reads the kind of call from standard input, "
            + "and then connects, calls and disconnects without end.",
        Required = true,
    };

    private readonly Option<int> _count = new("--count")
    {
        Description = "pending: how many calls of each kind.",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<string> _callId = new("--call-id")
    {
        Description = "pending: what the ids of its calls begin with.",
        DefaultValueFactory = _ => "pending",
    };

    private readonly Option<string> _runtimeDirectory =
        new("--runtime-directory") { Description = "Where shm: names live." };

    private readonly Option<SharedMemoryMode> _mode =
        new("--mode") { Description = "How shared memory carries the calls." };

    private readonly Option<TimeSpan?> _waitForServer =
        new("--wait-for-server") { Description = "How long calls wait for one." };

    public CallCommand()
        : base("call", "Connects to a server and plays a scenario until standard input says stop or closes.")
    {
        Add(_address);
        Add(_scenario);
        Add(_count);
        Add(_callId);
        Add(_runtimeDirectory);
        Add(_mode);
        Add(_waitForServer);
        _scenario.AcceptOnlyFromAmong("pending", "churn", "attempt", "exchange");
        SetAction((result, cancellationToken) => PlayAsync(result, cancellationToken));
    }

    private async Task<int> PlayAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var address = result.GetRequiredValue(_address);
        var setup = new ClientSetup
        {
            RuntimeDirectory = result.GetValue(_runtimeDirectory),
            Mode = result.GetValue(_mode),
            ConfigureSharedMemory =
                options => options.WaitForServer = result.GetValue(_waitForServer) ?? options.WaitForServer,
        };
        try
        {
            var scenario = result.GetRequiredValue(_scenario) switch
            {
                "pending" => PendingScenario.PlayAsync(
                    address, setup, result.GetValue(_count), result.GetRequiredValue(_callId), cancellationToken),
                "churn" => ChurnScenario.PlayAsync(address, setup, cancellationToken),
                "exchange" => ExchangeScenario.PlayAsync(address, setup, cancellationToken),
                _ => AttemptScenario.PlayAsync(address, setup, cancellationToken),
            };
            await scenario;

            new HostMessage(HostMessage.Stopped, Environment.ProcessId).Write();
            return 0;
        }
        catch (Exception e)
        {
            HostMessage.FromException(e).Write();
            await Console.Error.WriteLineAsync(e.ToString());
            return 1;
        }
    }
}
