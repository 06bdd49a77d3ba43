namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Clients that are disposed of while events are under way to another process.</summary>
public sealed class DisposalProcessTests
{
    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task Dispose_WhileAsyncVoidHandlersSend_TheProcessGoesOn(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        await using var held = await way.StartAsync("held-machine", hub.Address, "held", "Block", "16");
        await using var process = await way.StartAsync("left-behind", hub.Address, "held");
        using var channel = TestProcess.HubChannel.To(hub.Address);
        await using var fillerEnd = new EventClient(channel).InTime(out var filler);
        await filler.ConnectAsync().InTime();

        // One is being handled. Whoever sends many then waits for room.
        await filler.SendEventAsync("filler", "held", "HOLD").InTime();
        Assert.Equal("held", await held.ReadLineAsync());

        await process.WriteLineAsync("go");

        Assert.Equal("begun True, ended True, told True, Disconnected, late 2", await process.ReadLineAsync());
        Assert.Equal(0, await process.EndAsync());
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task DisposeAsync_AfterSendsThatNobodyAwaited_TheyArriveAndAreAnswered(string name)
    {
        const int count = 5_000;
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        await using var receiver = await way.StartAsync("counting-receiver", hub.Address, "m");
        using var channel = TestProcess.HubChannel.To(hub.Address);
        var options = way.NewOptions();
        options.ClosingTime = TimeLimit.Value;
        await using var clientEnd = new EventClient(channel, options).InTime(out var client);
        await client.ConnectAsync().InTime();
        await way.RegisterAndOpenAsync(client, "s", "m").InTime();
        var opened = way.Events;
        var sends = Enumerable.Range(0, count).Select(
            i => client.SendEventAsync("s", "m", "N", null, new EventSendOptions { Version = i })).ToArray();

        await client.DisposeAsync().InTime();

        await Task.WhenAll(sends).InTime();
        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"{i}", await receiver.ReadLineAsync());
        }

        await way.ExpectCarriedAsync(opened);
    }
}
