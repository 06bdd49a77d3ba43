using System.Text.Json;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Peers;

/// <summary>
/// The third process of a comparison: a machine at the other end of the event service. It ends when its standard input
/// ends.
/// </summary>
internal static class PeerProgram
{
    // Much longer than any run whose events all come.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    public static async Task<int> RunAsync(string transportName, string address)
    {
        using var meter = new UsageMeter();
        await using var connection = TransportRegistry.Find(transportName).Connect(address);
        Console.Out.WriteLine("ready");
        PeerMachine? machine = null;
        try
        {
            // A thread of the pool waits here, since all methods of the console read synchronously.
            while (await Task.Run(Console.In.ReadLine) is { } line)
            {
                var request = JsonSerializer.Deserialize<PeerRequest>(line)!;
                switch (request.Kind)
                {
                    case PeerRequestKind.Usage:
                        Answer(meter.Read());
                        break;
                    case PeerRequestKind.Join:
                        machine = await PeerMachine.JoinAsync(connection, request);
                        Answer(new PeerArrivals(null, []));
                        break;
                    case PeerRequestKind.Leave:
                        Answer(await LeaveAsync(machine!, request.Expected));
                        machine = null;
                        break;
                    default:
                        throw new InvalidOperationException($"The request '{line}' is not known.");
                }
            }
        }
        finally
        {
            if (machine is not null)
            {
                await machine.DisposeAsync();
            }
        }

        return 0;
    }

    private static void Answer<T>(T answer) => Console.Out.WriteLine(JsonSerializer.Serialize(answer));

    private static async Task<PeerArrivals> LeaveAsync(PeerMachine machine, long expected)
    {
        await using (machine)
        {
            try
            {
                await machine.Arrivals.WhenAsync(expected).WaitAsync(Patience);
                return new PeerArrivals(null, [.. machine.Arrivals.Latencies]);
            }
            catch (Exception exception) when (exception is TimeoutException or ComparisonException)
            {
                return new PeerArrivals(
                    exception is TimeoutException
                        ? $"Of {expected} events only {machine.Arrivals.Received} came."
                        : exception.Message,
                    []);
            }
        }
    }
}
