using System.Buffers;
using Google.Protobuf;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A <see cref="SessionRequest"/> whose events are encoded already.</summary>
internal sealed class OutgoingRequest
{
    private const byte PartTag = (SessionRequest.PartFieldNumber << 3) | 2;
    private const byte PartFollowsTag = SessionRequest.PartFollowsFieldNumber << 3;

    // A writer asks for more memory than it will need for the last fields. The memory must not be doubled for them.
    private const int Spare = 1024;

    /// <summary>The commands, in order.</summary>
    public List<OutgoingCommand> Commands { get; } = [];

    /// <summary>A part of a larger request; empty if it is none.</summary>
    public ByteString Part { get; init; } = ByteString.Empty;

    /// <summary>True if the next request is the next part.</summary>
    public bool PartFollows { get; init; }

    /// <summary>How many bytes it has, encoded.</summary>
    public int CalculateSize()
    {
        var size = (Part.IsEmpty ? 0 : FieldWriter.SizeWithTag(Part.Length)) + (PartFollows ? 2 : 0);
        foreach (var command in Commands)
        {
            size = checked(size + command.CalculateSize());
        }

        return size;
    }

    /// <summary>Encodes it.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        var writer = new FieldWriter(output);
        foreach (var command in Commands)
        {
            command.WriteTo(ref writer);
        }

        if (!Part.IsEmpty)
        {
            writer.WriteVarint(PartTag, (ulong)Part.Length);
            writer.Write(Part.Span);
        }

        if (PartFollows)
        {
            writer.WriteVarint(PartFollowsTag, 1);
        }

        writer.Flush();
    }

    /// <summary>Encodes it into memory of its own.</summary>
    public ReadOnlyMemory<byte> Encode()
    {
        var output = new ArrayBufferWriter<byte>(checked(CalculateSize() + Spare));
        WriteTo(output);
        return output.WrittenMemory;
    }
}
