using System.Buffers;
using Google.Protobuf;
using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>An <see cref="Outcome"/> of which the reply is not encoded anew.</summary>
/// <param name="Outcome">The outcome, without a reply.</param>
/// <param name="Reply">The reply, if there is one.</param>
internal sealed record OutgoingOutcome(Outcome Outcome, RoutedEvent? Reply = null)
{
    private const byte Tag = (SessionResponse.OutcomesFieldNumber << 3) | 2;
    private const byte ReplyTag = (Outcome.ReplyFieldNumber << 3) | 2;

    /// <summary>How many bytes it has.</summary>
    public int CalculateLength() =>
        Outcome.CalculateSize() + (Reply is null ? 0 : FieldWriter.SizeWithTag(Reply.Encoded.Length));

    /// <summary>How many bytes it has in a response, with its tag and its length.</summary>
    public int CalculateSize() => FieldWriter.SizeWithTag(CalculateLength());

    /// <summary>Writes it as a field of a response.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        var writer = new FieldWriter(output);
        writer.WriteVarint(Tag, (ulong)CalculateLength());
        writer.Flush();
        Outcome.WriteTo(output);
        if (Reply is not null)
        {
            var reply = Reply.Encoded;
            writer.WriteVarint(ReplyTag, (ulong)reply.Length);
            writer.Write(reply);
            writer.Flush();
        }
    }
}
