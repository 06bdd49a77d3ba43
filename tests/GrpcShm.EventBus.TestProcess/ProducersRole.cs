using System.Diagnostics;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with machines that send numbered events to all consumers as fast as they can, for a while. At the end it
/// says how many, and how many of them went over lanes.
/// </summary>
internal static class ProducersRole
{
    private const int Round = 200;

    public static async Task<int> RunAsync(EventWay way, string address, int from, int to, int consumers, int seconds)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel, way.NewOptions());
        await client.ConnectAsync();
        for (var producer = from; producer < to; producer++)
        {
            await client.RegisterMachineAsync(NameOf(producer), static _ => Task.CompletedTask);
        }

        Console.WriteLine("ready");

        // All processes of the test begin at the same word.
        await Console.In.ReadLineAsync();
        var totals = await Task.WhenAll(
            Enumerable.Range(from, to - from).Select(
                producer => Task.Run(() => ProduceAsync(way, client, producer, consumers, seconds))));
        Console.WriteLine($"done {totals.Sum()}");
        Console.WriteLine($"over lanes {way.Events}");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private static string NameOf(int producer) => $"producer-{producer}";

    private static async Task<long> ProduceAsync(
        EventWay way, EventClient client, int producer, int consumers, int seconds)
    {
        var source = NameOf(producer);
        var started = Stopwatch.GetTimestamp();
        var number = 0;

        // On a very busy machine it may take longer until a lane carries events.
        while (Stopwatch.GetElapsedTime(started).TotalSeconds < seconds || (way.UsesLanes && way.Events == 0))
        {
            Task last = Task.CompletedTask;
            for (var i = 0; i < Round; i++)
            {
                last = client.SendEventAsync(
                    source,
                    $"consumer-{number % consumers}",
                    "N",
                    null,
                    new EventSendOptions { Version = number / consumers });
                number++;
            }

            await last;
        }

        var ends = Enumerable.Range(0, consumers).Select(consumer => client.SendEventAsync(
            source, $"consumer-{consumer}", "END", null,
            new EventSendOptions { Version = (number / consumers) + (consumer < number % consumers ? 1 : 0) }));
        await Task.WhenAll(ends);
        return number;
    }
}
