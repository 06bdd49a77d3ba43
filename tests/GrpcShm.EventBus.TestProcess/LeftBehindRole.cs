using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process whose handlers are <c>async void</c>, as those of the type <c>Action&lt;BusEvent&gt;</c> are, and whose
/// client is disposed of while they send. An exception in one of them ends the process. It ends with 0 when all of them
/// have run to their end and all that did not come was told.
/// </summary>
internal static class LeftBehindRole
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private const int Fill = 100;
    private static readonly EventSendOptions Processed = new() { Acknowledgement = AcknowledgementLevel.Processed };

    public static async Task<int> RunAsync(EventWay way, string address, string held)
    {
        using var channel = HubChannel.To(address);
        var client = new EventClient(channel, way.NewOptions());
        var told = 0;
        var sentLate = 0;
        var disposed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var begun = new CountdownEvent(3);
        using var ended = new CountdownEvent(5);
        client.SendFailed += (_, failure) => Interlocked.Add(ref told, failure.EventName == "FILLS" ? 0 : 1);
        client.ConnectionChanged += OnConnectionChanged;
        await client.ConnectAsync();
        await SubscribeAsync("under-way", OnUnderWay);
        await SubscribeAsync("late", OnLate);
        await SubscribeAsync("late-and-waits", OnLateAndWaits);
        await way.OpenAsync(client, "under-way", held);
        Console.WriteLine("ready");

        // The one that is held has no room: the send stays under way.
        await Console.In.ReadLineAsync();
        await client.SendEventAsync("", "under-way", "GO");
        await client.SendEventAsync("", "late", "GO");

        // Its handler has returned then, and left its flow behind.
        await client.SendEventAsync("", "late-and-waits", "GO", null, Processed);
        var isBegun = begun.Wait(Patience);
        OnSend(ended);
        client.Dispose();
        var state = client.State;
        disposed.SetResult();
        var isEnded = ended.Wait(Patience);

        // The last ones are told on a thread of their own.
        var isTold = SpinWait.SpinUntil(() => Volatile.Read(ref told) >= 5, Patience);
        Console.WriteLine(
            $"begun {isBegun}, ended {isEnded}, told {isTold}, {state}, late {Volatile.Read(ref sentLate)}");
        await Console.In.ReadToEndAsync();
        return 0;

        Task SubscribeAsync(string machineId, Action<BusEvent> handler) => client.SubscribeAsync(machineId, received =>
        {
            handler(received);
            return Task.CompletedTask;
        });

        async void OnUnderWay(BusEvent received)
        {
            // There is room for fewer events, whichever way they go.
            for (var i = 0; i < Fill; i++)
            {
                _ = client.SendEventAsync("under-way", held, "FILLS");
            }

            var sending = client.SendEventAsync("under-way", held, "WAITS");
            begun.Signal();
            await sending;
            ended.Signal();
        }

        async void OnLate(BusEvent received)
        {
            begun.Signal();
            await disposed.Task;
            await client.SendEventAsync("late", held, "LATE");
            await client.PublishAsync("LATE, TOO");
            Interlocked.Increment(ref sentLate);
            ended.Signal();
        }

        async void OnLateAndWaits(BusEvent received)
        {
            begun.Signal();
            await disposed.Task;
            var result = await client.SendEventAsync("late-and-waits", held, "LATE", null, Processed);
            Interlocked.Add(ref sentLate, result.Failure is null ? 0 : 1);
            ended.Signal();
        }

        // Outside of the client's handlers.
        async void OnSend(CountdownEvent counter)
        {
            await client.SendEventAsync("under-way", held, "WAITS, TOO");
            counter.Signal();
        }

        async void OnConnectionChanged(object? sender, EventBusConnectionChange change)
        {
            if (change.State == EventBusConnectionState.Disconnected)
            {
                await client.SendEventAsync("", held, "GONE");
                ended.Signal();
            }
        }
    }
}
