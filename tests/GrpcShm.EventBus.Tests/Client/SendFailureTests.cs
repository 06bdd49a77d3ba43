using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>
/// All ways to send fail alike: of a client and of the hub's own process, by each overload. A null argument is thrown
/// at once, everything else comes by the task.
/// </summary>
public sealed class SendFailureTests : ClientTest
{
    private const string ByClient = "client";
    private const string ByHub = "hub";

    private static readonly string[] Senders = [ByClient, ByHub];
    private static readonly string[] Overloads = ["plain", "token", "options", "processed"];

    public static TheoryData<string, string> Ways => new(
        Senders.SelectMany(sender => Overloads.Select(overload => (sender, overload))));

    public static TheoryData<string> OverloadsOfTheClient => [.. Overloads];

    public static TheoryData<string, string> WaysWithToken => new(
        Senders.SelectMany(sender => Overloads.Skip(1).Select(overload => (sender, overload))));

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SendEvent_NullArgument_IsThrownAtOnce(string sender, string overload)
    {
        var client = await ConnectClientAsync();
        var cancelled = new CancellationToken(canceled: overload != "plain");

        Assert.Equal("sourceMachineId", Throws(() => Send(client, sender, overload, null!, "t", "E", null, cancelled)));
        Assert.Equal("targetMachineId", Throws(() => Send(client, sender, overload, "s", null!, "E", null, cancelled)));
        Assert.Equal("eventName", Throws(() => Send(client, sender, overload, "s", "t", null!, null, cancelled)));
    }

    [Theory]
    [MemberData(nameof(WaysWithToken))]
    public async Task SendEvent_CancelledAlready_IsACancelledTask(string sender, string overload)
    {
        var client = await ConnectClientAsync();
        var received = await ReceiveAsync(client, "t");

        var sending = Send(client, sender, overload, "s", "t", "LOST", null, new CancellationToken(canceled: true));
        await client.SendEventAsync("s", "t", "NEXT").InTime();

        Assert.True(sending.IsCanceled);
        Assert.Equal("NEXT", (await received.ReadAsync().InTime()).EventName);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SendEvent_PayloadThatCannotBeEncoded_IsNotSupportedByTheTask(string sender, string overload)
    {
        var client = await ConnectClientAsync();

        var sending = Send(client, sender, overload, "s", "t", "E", System.Numerics.BigInteger.One);

        await Assert.ThrowsAsync<NotSupportedException>(() => sending.InTime());
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SendEvent_UnknownTarget_IsNotFoundByTheTask(string sender, string overload)
    {
        var client = await ConnectClientAsync(options => options.SendPipeline = Polly.ResiliencePipeline.Empty);

        var failure = await FailsAsync(Send(client, sender, overload, "s", "nobody", "E", null), StatusCode.NotFound);

        Assert.Equal("nobody", failure.MachineId);
        Assert.Equal("The machine 'nobody' is not registered, or its process has ended.", failure.Message);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SendEvent_NotValid_IsInvalidArgumentByTheTask(string sender, string overload)
    {
        var client = await ConnectClientAsync();
        var received = await ReceiveAsync(await ConnectClientAsync(), "t");

        await FailsAsync(Send(client, sender, overload, "s", "t", "", null), StatusCode.InvalidArgument);
        await FailsAsync(Send(client, sender, overload, "s", "", "E", null), StatusCode.InvalidArgument);

        Assert.False(received.TryRead(out _));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SendEvent_TooLarge_IsResourceExhaustedByTheTask(string sender, string overload)
    {
        var client = await ConnectClientAsync(options => options.SendPipeline = Polly.ResiliencePipeline.Empty);
        await ReceiveAsync(await ConnectClientAsync(), "t");

        await FailsAsync(Send(client, sender, overload, "s", "t", "E", new byte[4096]), StatusCode.ResourceExhausted);
    }

    [Theory]
    [MemberData(nameof(OverloadsOfTheClient))]
    public async Task SendEvent_ClientThatIsNotConnected_IsUnavailableByTheTask(string overload)
    {
        var client = await ConnectClientAsync(options => options.SendPipeline = Polly.ResiliencePipeline.Empty);
        await client.DisconnectAsync().InTime();

        await FailsAsync(Send(client, ByClient, overload, "s", "t", "E", null), StatusCode.Unavailable);
    }

    [Theory]
    [MemberData(nameof(OverloadsOfTheClient))]
    public async Task SendEvent_ClientThatIsDisposedOf_IsObjectDisposedByTheTask(string overload)
    {
        var client = await ConnectClientAsync();
        await client.DisposeAsync().InTime();

        var sending = Send(client, ByClient, overload, "s", "t", "E", null);

        var failure = await Assert.ThrowsAsync<ObjectDisposedException>(() => sending.InTime());
        Assert.Contains(nameof(EventClient), failure.ObjectName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_WhateverIsWrong_ComesByTheTask()
    {
        var client = await ConnectClientAsync();
        var unfit = System.Numerics.BigInteger.One;
        var change = new MachineStateChange { NewState = "s", Context = unfit };

        Task[] publishing =
        [
            client.PublishAsync("E", unfit), client.PublishAsync("E", unfit, CancellationToken.None),
            client.PublishAsync("E", unfit, new EventPublishOptions()), client.PublishStateChangeAsync("m", change),
            Server.Hub.PublishAsync("E", unfit),
        ];

        foreach (var publication in publishing)
        {
            await Assert.ThrowsAsync<NotSupportedException>(() => publication.InTime());
        }
    }

    protected override void Configure(EventBusOptions options) => options.MaxEventSize = 2048;

    private static string? Throws(Action send) => Assert.Throws<ArgumentNullException>(send).ParamName;

    private Task Send(
        EventClient client,
        string sender,
        string overload,
        string source,
        string target,
        string name,
        object? payload,
        CancellationToken cancellationToken = default)
    {
#pragma warning disable CA2016 // One of the overloads is the one without a token.
        var options = new EventSendOptions
        {
            Acknowledgement = overload == "processed" ? AcknowledgementLevel.Processed : AcknowledgementLevel.Accepted,
        };
        return (sender, overload) switch
        {
            (ByClient, "plain") => client.SendEventAsync(source, target, name, payload),
            (ByClient, "token") => client.SendEventAsync(source, target, name, payload, cancellationToken),
            (ByClient, _) => client.SendEventAsync(source, target, name, payload, options, cancellationToken),
            (_, "plain") => Server.Hub.SendEventAsync(source, target, name, payload),
            (_, "token") => Server.Hub.SendEventAsync(source, target, name, payload, cancellationToken),
            _ => Server.Hub.SendEventAsync(source, target, name, payload, options, cancellationToken),
        };
#pragma warning restore CA2016
    }
}
