using System.Threading.Channels;
using Google.Protobuf;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Responses in parts of a hub that breaks the rules for them.</summary>
public sealed class ResponsePartsTests : IDisposable
{
    private static readonly ByteString Small = ByteString.CopyFrom([1, 2, 3]);

    private readonly TempDirectory _directory = new();

    /// <summary>Responses of a session of which the last one breaks a rule, and words of the client's reason.</summary>
    public static TheoryData<string, string> BrokenRules { get; } = new()
    {
        { "content beside a part", "a part came together with other content" },
        { "a whole response between parts", "a message without a part came between the parts" },
        { "an empty part that is followed", "an empty part said that another part follows" },
        { "a part that is no response", "are no response of the contract together" },
        { "a part of parts", "a message in parts was a part itself" },
    };

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(BrokenRules))]
    public async Task Session_WhoseHubBreaksARuleForParts_EndsByThatRuleAndTheNextOneGoesOn(string rule, string words)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var hub = await FakeHub.StartAsync(_directory.Socket, (session, request) =>
        {
            if (session > 1)
            {
                return FakeHub.CarryOut(request);
            }

            switch (request.Commands[^1].Send?.Name)
            {
                case "BEGIN":
                    begun.SetResult();
                    return new SessionResponse { Part = Small, PartFollows = true };
                case "BREAK":
                    return ResponseThatBreaks(rule);
                default:
                    return FakeHub.CarryOut(request);
            }
        });
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        var reasons = Channel.CreateUnbounded<Exception>();
        client.ConnectionChanged += (_, change) =>
        {
            if (change is { State: EventBusConnectionState.Reconnecting, Reason: { } reason })
            {
                reasons.Writer.TryWrite(reason);
            }
        };
        await client.ConnectAsync().InTime();

        List<Task> sending = [];
        if (rule == "a whole response between parts")
        {
            sending.Add(Send("BEGIN"));
            await begun.Task.InTime();
        }

        sending.Add(Send("BREAK"));

        Assert.Contains(
            words, (await reasons.Reader.ReadAsync().InTime()).Message, StringComparison.Ordinal);
        await Task.WhenAll(sending).InTime();
        Assert.Equal(2, hub.Sessions);

        Task Send(string name) => client.SendEventAsync("s", "m", name);
    }

    private static SessionResponse ResponseThatBreaks(string rule) => rule switch
    {
        "content beside a part" => new SessionResponse { Part = Small, CompletedThrough = 1 },
        "a whole response between parts" => new SessionResponse { CompletedThrough = 1 },
        "an empty part that is followed" => new SessionResponse { PartFollows = true },
        "a part that is no response" => new SessionResponse { Part = ByteString.CopyFrom([0xFF]) },
        "a part of parts" => new SessionResponse { Part = new SessionResponse { Part = Small }.ToByteString() },
        _ => throw new ArgumentOutOfRangeException(nameof(rule), rule, "The test has no such response."),
    };
}
