using System.Threading.Channels;
using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Answers of a machine to an event that comes once more, since its sender lost the first answer.</summary>
public sealed class RepeatedEventTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task EventWhoseAnswerTheHubWouldNotTake_IsRefusedAlikeWhenItComesAgain()
    {
        var answers = Channel.CreateUnbounded<Acknowledgement>();
        await using var hub = await FakeHub.StartAsync(_directory.Socket, (_, request) =>
        {
            var response = FakeHub.CarryOut(request);
            foreach (var command in request.Commands)
            {
                if (command.Subscribe is { } subscription)
                {
                    response.Deliveries.Add(Deliver(subscription.Number, 1));
                    response.Deliveries.Add(Deliver(subscription.Number, 2));
                }
                else if (command.Acknowledge is { } answer)
                {
                    answers.Writer.TryWrite(answer);
                }
            }

            return response;
        });
        using var channel = HubChannel.To(_directory.Socket);
        await using var clientEnd = new EventClient(channel).InTime(out var client);
        await client.ConnectAsync().InTime();
        var handled = 0;

        await client.RegisterMachineAsync("m", received =>
        {
            handled++;

            // The hub allows four times the length of an id, which is 256 here.
            received.NewState = new string('s', 2000);
            return Task.CompletedTask;
        }).InTime();

        for (var number = 1; number <= 2; number++)
        {
            var answer = await answers.Reader.ReadAsync().InTime();
            Assert.Equal((ulong)number, answer.Number);
            Assert.Equal((int)StatusCode.InvalidArgument, answer.StatusCode);
            Assert.Contains("2000 characters", answer.Message, StringComparison.Ordinal);
            Assert.Equal("", answer.NewState);
        }

        Assert.Equal(1, handled);
    }

    private static Delivery Deliver(uint subscription, ulong number) => new()
    {
        Subscription = subscription,
        Number = number,
        Acknowledgement = AcknowledgementLevel.Processed,
        Event = new Event { Name = "E", Source = "s", Target = "m", Sender = 1, Sequence = 1 },
    };
}
