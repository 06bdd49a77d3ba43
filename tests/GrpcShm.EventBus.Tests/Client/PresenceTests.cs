using System.Threading.Channels;
using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

public sealed class PresenceTests : ClientTest
{
    [Fact]
    public async Task SubscribeToMachines_WhoIsThereComesAndGoes_IsToldInOrder()
    {
        var owner = await ConnectClientAsync(options => options.Name = "owner");
        await ReceiveAsync(owner, "tool-1", new MachineOptions { Groups = ["tools"] });
        var (presences, _) = await WatchAsync(await ConnectClientAsync(), "tool-*");

        var first = await presences.ReadAsync().InTime();
        Assert.True(
            first is { MachineId: "tool-1", Change: MachineChangeKind.Present, IsPresent: true, Owner: "owner" });
        Assert.Equal(["tools"], first.Groups);
        Assert.InRange(first.Timestamp, DateTime.UtcNow.AddMinutes(-1), DateTime.UtcNow.AddMinutes(1));

        var registration = await owner.RegisterMachineAsync("tool-2", _ => Task.CompletedTask).InTime();
        Assert.True(
            await presences.ReadAsync().InTime() is { MachineId: "tool-2", Change: MachineChangeKind.Registered });
        registration.Dispose();
        var gone = await presences.ReadAsync().InTime();
        Assert.True(gone is { MachineId: "tool-2", Change: MachineChangeKind.Unregistered, IsPresent: false });
        await owner.DisconnectAsync().InTime();
        Assert.True(
            await presences.ReadAsync().InTime() is { MachineId: "tool-1", Change: MachineChangeKind.Unregistered });
    }

    [Fact]
    public async Task SubscribeToMachines_Disposed_TellsNoMore()
    {
        var client = await ConnectClientAsync();
        var (presences, subscription) = await WatchAsync(client, "*");
        await ReceiveAsync(client, "first");
        Assert.Equal("first", (await presences.ReadAsync().InTime()).MachineId);

        subscription.Dispose();
        await ReceiveAsync(client, "second");

        // Whoever subscribes now comes after all that the disposed one could have been told.
        var (others, _) = await WatchAsync(client, "*");
        await others.ReadAsync().InTime();
        await others.ReadAsync().InTime();
        Assert.False(presences.TryRead(out _));
    }

    [Fact]
    public async Task SubscribeToMachines_HandlerThatThrows_IsToldOfTheNext()
    {
        var client = await ConnectClientAsync();
        var told = Channel.CreateUnbounded<string>();
        var failures = Channel.CreateUnbounded<Exception>();
        client.HandlerFailed += (_, failure) => failures.Writer.TryWrite(failure.Exception);
        await client.SubscribeToMachinesAsync("*", presence =>
        {
            told.Writer.TryWrite(presence.MachineId);
            throw new InvalidOperationException(presence.MachineId);
        }).InTime();

        await ReceiveAsync(client, "first");
        await ReceiveAsync(client, "second");

        Assert.Equal("first", await told.Reader.ReadAsync().InTime());
        Assert.Equal("second", await told.Reader.ReadAsync().InTime());
        Assert.Equal("first", (await failures.Reader.ReadAsync().InTime()).Message);
    }

    [Fact]
    public async Task WaitForMachine_ThatComesLater_ReturnsWhenItCanBeSentTo()
    {
        var client = await ConnectClientAsync();
        var owner = await ConnectClientAsync();
        var waiting = client.WaitForMachineAsync("late");
        var alsoWaiting = client.WaitForMachineAsync("late");

        var events = await ReceiveAsync(owner, "late");
        await waiting.InTime();
        await alsoWaiting.InTime();

        await client.SendEventAsync("s", "late", "E").InTime();
        Assert.Equal("E", (await events.ReadAsync().InTime()).EventName);
        await client.WaitForMachineAsync("late").InTime();
    }

    [Fact]
    public async Task WaitForMachine_WhoseIdIsAPattern_WaitsForThatMachineAlone()
    {
        var client = await ConnectClientAsync();
        await ReceiveAsync(client, "tool-1");
        var waiting = client.WaitForMachineAsync("tool-?");

        // When it has been told of this one, it has been told of the other, too.
        await client.WaitForMachineAsync("tool-1").InTime();
        Assert.False(waiting.IsCompleted);

        await ReceiveAsync(client, "tool-?");
        await waiting.InTime();
    }

    [Fact]
    public async Task WaitForMachine_ClientDisconnects_IsUnavailable()
    {
        var client = await ConnectClientAsync();
        var waiting = client.WaitForMachineAsync("never");

        await client.DisconnectAsync().InTime();

        await FailsAsync(waiting, StatusCode.Unavailable);
    }

    [Fact]
    public async Task ListMachines_MoreThanAPage_ListsAllById()
    {
        var client = await ConnectClientAsync(options => options.Name = "lister");
        await Task.WhenAll(Enumerable.Range(0, 1500).Select(i => client.RegisterMachineAsync(
            $"m{i:D4}", _ => Task.CompletedTask, new MachineOptions { Groups = [i % 3 == 0 ? "third" : "other"] })))
            .InTime();

        var all = await client.ListMachinesAsync().ToListAsync().InTime();
        var some = await client.ListMachinesAsync("m00*", "third").ToListAsync().InTime();

        Assert.Equal(Enumerable.Range(0, 1500).Select(i => $"m{i:D4}"), all.Select(machine => machine.MachineId));
        Assert.All(all, machine => Assert.Equal("lister", machine.Owner));
        Assert.Equal(Enumerable.Range(0, 34).Select(i => $"m{i * 3:D4}"), some.Select(machine => machine.MachineId));
    }

    private static async Task<(ChannelReader<MachinePresence> Presences, IDisposable Subscription)> WatchAsync(
        EventClient client, string pattern)
    {
        var presences = Channel.CreateUnbounded<MachinePresence>();
        var subscription = await client.SubscribeToMachinesAsync(
            pattern, presence => presences.Writer.WriteAsync(presence).AsTask()).InTime();
        return (presences.Reader, subscription);
    }
}
