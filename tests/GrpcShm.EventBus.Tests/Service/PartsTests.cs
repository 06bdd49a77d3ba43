using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>Messages in parts of clients that never end them, or that break the rules for them.</summary>
public sealed class PartsTests : HubTest
{
    private const int Mebibyte = 1024 * 1024;
    private static readonly ByteString Part = ByteString.CopyFrom(new byte[Mebibyte]);
    private static readonly ByteString Small = ByteString.CopyFrom([1, 2, 3]);

    private HubCore Hub => Server.Services.GetRequiredService<HubCore>();

    /// <summary>Messages of a session of which the last one breaks a rule, and words of the hub's answer.</summary>
    public static TheoryData<string, string> BrokenRules { get; } = new()
    {
        { "commands beside a part", "a part came together with other content" },
        { "a whole message between parts", "a message without a part came between the parts" },
        { "an empty part that is followed", "an empty part said that another part follows" },
        { "parts that are no message", "are no message of the contract together" },
        { "a part of parts", "a message in parts was a part itself" },
    };

    [Fact]
    public async Task Session_PartsAboveTheHubsBound_EndThatSessionOnlyAndTheOtherGoesOn()
    {
        await using var machine = await OpenMachineAsync("m");
        await using var first = OpenSession();
        await using var second = OpenSession();
        var message = new SessionRequest
        {
            Commands = { new SessionCommand { Number = 1, Send = NewEvent("m") } },
        };
        message.Commands[0].Send.Payload = ByteString.CopyFrom(new byte[2 * Mebibyte]);
        var bytes = message.ToByteArray();
        await first.SendRawAsync(new SessionRequest
        {
            Part = ByteString.CopyFrom(bytes.AsSpan(0, Mebibyte)), PartFollows = true,
        }).InTime();
        await first.SendRawAsync(new SessionRequest
        {
            Part = ByteString.CopyFrom(bytes.AsSpan(Mebibyte, Mebibyte)), PartFollows = true,
        }).InTime();
        await TimeLimit.UntilAsync(() => Hub.Budget.Parts.Used == 2 * Mebibyte);

        // The third part doubles the memory of the two before: 6 MiB in all, where 5 are allowed.
        for (var i = 0; i < 3; i++)
        {
            await second.SendRawAsync(new SessionRequest { Part = Part, PartFollows = true }).InTime();
        }

        var closing = await second.Closing.InTime();
        Assert.Equal((int)StatusCode.ResourceExhausted, closing.StatusCode);
        Assert.False(closing.MessageTooLarge);
        Assert.Contains("MaxPartsSize", closing.Message, StringComparison.Ordinal);
        await first.SendRawAsync(new SessionRequest
        {
            Part = ByteString.CopyFrom(bytes.AsSpan(2 * Mebibyte)),
        }).InTime();
        Assert.Equal(2 * Mebibyte, (await machine.Deliveries.ReadAsync().InTime()).Event.Payload.Length);
        await TimeLimit.UntilAsync(() => Hub.Budget.Parts.Used == 0);
    }

    [Fact]
    public async Task Session_ThatEndsBetweenParts_GivesTheirMemoryBack()
    {
        await using (var session = OpenSession())
        {
            await session.SendRawAsync(new SessionRequest { Part = Part, PartFollows = true }).InTime();
            await TimeLimit.UntilAsync(() => Hub.Budget.Parts.Used == Mebibyte);
        }

        await TimeLimit.UntilAsync(() => Hub.Budget.Parts.Used == 0);
    }

    [Theory]
    [MemberData(nameof(BrokenRules))]
    public async Task Session_ThatBreaksARuleForParts_IsEndedByThatRule(string rule, string words)
    {
        await using var session = OpenSession();

        foreach (var message in MessagesThatBreak(rule))
        {
            await session.SendRawAsync(message).InTime();
        }

        var closing = await session.Closing.InTime();
        Assert.Equal((int)StatusCode.InvalidArgument, closing.StatusCode);
        Assert.Contains(words, closing.Message, StringComparison.Ordinal);
        await TimeLimit.UntilAsync(() => Hub.Budget.Parts.Used == 0);
    }

    protected override void Configure(EventBusOptions options) => options.MaxPartsSize = 5 * Mebibyte;

    private static SessionRequest[] MessagesThatBreak(string rule) => rule switch
    {
        "commands beside a part" => [new SessionRequest { Part = Small, PartFollows = true, Commands = { Send("m") } }],
        "a whole message between parts" =>
        [
            new SessionRequest { Part = Small, PartFollows = true },
            new SessionRequest { Commands = { Send("m") } },
        ],
        "an empty part that is followed" => [new SessionRequest { PartFollows = true }],
        "parts that are no message" =>
        [
            new SessionRequest { Part = ByteString.CopyFrom([0xFF]), PartFollows = true },
            new SessionRequest { Part = ByteString.CopyFrom([0xFF]) },
        ],
        "a part of parts" => [new SessionRequest { Part = new SessionRequest { Part = Small }.ToByteString() }],
        _ => throw new ArgumentOutOfRangeException(nameof(rule), rule, "The test has no such messages."),
    };
}
