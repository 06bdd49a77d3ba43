using System.Collections.Concurrent;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with machines that check that nothing that producers send is lost, doubled or reordered.
/// </summary>
internal static class ConsumersRole
{
    public static async Task<int> RunAsync(EventWay way, string address, int from, int to, int producers)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel, way.NewOptions());
        await client.ConnectAsync();
        var errors = new ConcurrentQueue<string>();
        var consumers = new List<Consumer>();
        for (var consumer = from; consumer < to; consumer++)
        {
            var machine = new Consumer($"consumer-{consumer}", producers, errors);
            consumers.Add(machine);
            await client.RegisterMachineAsync($"consumer-{consumer}", machine.HandleAsync);
        }

        Console.WriteLine("ready");
        await Task.WhenAll(consumers.Select(consumer => consumer.Ended));
        Console.WriteLine(
            errors.IsEmpty ? $"good {consumers.Sum(consumer => consumer.Received)}" : $"bad {errors.First()}");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private sealed class Consumer(string id, int producers, ConcurrentQueue<string> errors)
    {
        private readonly Dictionary<string, int> _next = [];
        private readonly TaskCompletionSource _ended = new();
        private int _ends;

        public Task Ended => _ended.Task;

        public long Received { get; private set; }

        public Task HandleAsync(BusEvent received)
        {
            var expected = _next.GetValueOrDefault(received.SourceMachineId);
            if (received.Version != expected)
            {
                errors.Enqueue(
                    $"{id} from {received.SourceMachineId}: "
                    + $"{received.EventName} {received.Version} instead of {expected}");
            }

            if (received.EventName == "END")
            {
                if (++_ends == producers)
                {
                    _ended.TrySetResult();
                }

                return Task.CompletedTask;
            }

            _next[received.SourceMachineId] = received.Version + 1;
            Received++;
            return Task.CompletedTask;
        }
    }
}
