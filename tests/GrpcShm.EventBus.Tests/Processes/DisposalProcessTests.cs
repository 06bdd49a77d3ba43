namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>A process that disposes of its client while its handlers send.</summary>
public sealed class DisposalProcessTests
{
    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Dispose_WhileAsyncVoidHandlersSend_TheProcessGoesOn(string transport)
    {
        await using var hub = await HubProcess.StartAsync(transport);
        await using var held = await ChildProcess.StartAsync("held-machine", hub.Address, "held", "Block", "1");
        await using var process = await ChildProcess.StartAsync("left-behind", hub.Address, "held");
        using var channel = TestProcess.HubChannel.To(hub.Address);
        await using var fillerEnd = new EventClient(channel).InTime(out var filler);
        await filler.ConnectAsync().InTime();

        // One is being handled, one waits in the process, one at the hub. Whoever sends then waits for room.
        var filling = filler.SendEventAsync("filler", "held", "HOLD");
        Assert.Equal("held", await held.ReadLineAsync());
        await filling.InTime();
        var waiting = Enumerable.Range(0, 4).Select(i => filler.SendEventAsync("filler", "held", $"{i}")).ToArray();
        await waiting[0].InTime();

        await process.WriteLineAsync("go");

        Assert.Equal("begun True, ended True, told True, Disconnected, late 2", await process.ReadLineAsync());
        Assert.Equal(0, await process.EndAsync());
    }
}
