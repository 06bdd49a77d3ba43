using System.Threading.Channels;
using Grpc.Core;

namespace GrpcShm.EventBus.Tests.Conformance;

// The results of sends, requests and publications, with options and without.
public abstract partial class BusConformanceTests
{
    [Fact]
    public async Task Publish_WithAndWithoutOptions_GivesTheSameResult()
    {
        Bus = await MakeBusAsync();
        var other = await ConnectClientAsync();
        var events = await ReceiveAsync(other, "m");
        using var mine = await Bus.RegisterMachineAsync("mine", static _ => Task.CompletedTask, null, None).InTime();

        int[] reached =
        [
            await Bus.PublishAsync("E1", null).InTime(),
            await Bus.PublishAsync("E2", null, None).InTime(),
            await Bus.PublishAsync("E3", null, null, None).InTime(),
            await Bus.PublishAsync("E4", null, new EventPublishOptions(), None).InTime(),
        ];

        Assert.Equal([2, 2, 2, 2], reached);
        Assert.Equal("", (await events.ReadAsync().InTime()).SourceMachineId);
    }

    [Fact]
    public async Task Publish_ThatExcludesItsSource_ReachesAllOthersAndNamesTheSource()
    {
        Bus = await MakeBusAsync();
        var other = await ConnectClientAsync();
        var events = await ReceiveAsync(other, "m");
        using var mine = await Bus.RegisterMachineAsync("mine", static _ => Task.CompletedTask, null, None).InTime();
        var options = new EventPublishOptions { SourceMachineId = "mine", ExcludeSource = true };

        Assert.Equal(1, await Bus.PublishAsync("E", null, options, None).InTime());

        Assert.Equal("mine", (await events.ReadAsync().InTime()).SourceMachineId);
    }

    [Fact]
    public async Task Publish_ThatExcludesASourceWithoutNamingIt_SaysWhatToSet()
    {
        Bus = await MakeBusAsync();

        var refused = await Assert.ThrowsAsync<ArgumentException>(
            () => Bus.PublishAsync("E", null, new EventPublishOptions { ExcludeSource = true }, None).InTime());

        Assert.Equal("options", refused.ParamName);
        Assert.Contains("Set SourceMachineId, too.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_WithoutOptions_IsCompleteWhenTheEventIsAccepted()
    {
        Bus = await MakeBusAsync();
        var other = await ConnectClientAsync();
        var events = await ReceiveAsync(other, "m");

        var result = await Bus.SendEventAsync("s", "m", "E", null, null, None).InTime();

        Assert.Equal(("", null, null), (result.NewState, result.Reply, result.Failure));
        Assert.Equal("E", (await events.ReadAsync().InTime()).EventName);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Request_HandledWithoutAReply_SaysWhichMachineAndWhatItsHandlerHasToDo(bool isOwnMachine)
    {
        Bus = await MakeBusAsync();
        var other = await ConnectClientAsync();
        using var machine = isOwnMachine
            ? await Bus.RegisterMachineAsync("mute", static _ => Task.CompletedTask, null, None).InTime()
            : await other.RegisterMachineAsync("mute", static _ => Task.CompletedTask).InTime();

        var failure = await FailsAsync(
            Bus.RequestAsync("s", "mute", "ASK", null, null, None), StatusCode.Internal);

        Assert.Equal(
            "The machine 'mute' handled the request without a reply. Its handler has to call Reply.", failure.Message);
        Assert.Equal("mute", failure.MachineId);
    }

    [Fact]
    public async Task NewState_OfAHandler_IsToldToItsSenderAndNotToSubscribersOfChanges()
    {
        Bus = await MakeBusAsync();
        var changes = Channel.CreateUnbounded<BusEvent>();
        using var subscription = await Bus.SubscribeToStateChangesAsync(
            "*", received => changes.Writer.WriteAsync(received).AsTask(), null, None).InTime();
        var other = await ConnectClientAsync();
        using var machine = await other.RegisterMachineAsync("m", static received =>
        {
            received.NewState = "handled";
            return Task.CompletedTask;
        }).InTime();

        var result = await Bus.SendEventAsync("s", "m", "E", null, Processed, None).InTime();
        await Bus.PublishStateChangeAsync("m2", new MachineStateChange { NewState = "published" }, None).InTime();

        Assert.Equal("handled", result.NewState);
        Assert.Equal("published", (await changes.Reader.ReadAsync().InTime()).StateChange!.NewState);
    }
}
