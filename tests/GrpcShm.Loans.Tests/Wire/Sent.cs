using System.Buffers;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Wire;

/// <summary>Takes the bytes of a message that is sent.</summary>
internal sealed class Sent : SerializationContext
{
    private readonly ArrayBufferWriter<byte> _output = new();
    private int? _length;
    private bool _isComplete;

    /// <summary>The bytes, of which there are as many as were announced.</summary>
    public byte[] Bytes
    {
        get
        {
            Assert.True(_isComplete);
            Assert.Equal(_length, _output.WrittenCount);
            return _output.WrittenSpan.ToArray();
        }
    }

    public override void SetPayloadLength(int payloadLength) => _length = payloadLength;

    public override IBufferWriter<byte> GetBufferWriter()
    {
        Assert.NotNull(_length);
        return _output;
    }

    public override void Complete() => _isComplete = true;
}
