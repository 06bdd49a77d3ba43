using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>A context of serialization that can send memory from where it lies.</summary>
internal interface IPayloadBorrower
{
    /// <summary>Lends the rest of the message, behind all that was written of it.</summary>
    /// <param name="rest">The rest. It must not change while it is used.</param>
    /// <param name="memory">The memory, of which the caller gives a use away.</param>
    /// <returns>False if the rest has to be written. Then the use is still the caller's.</returns>
    bool TryBorrow(in ReadOnlySequence<byte> rest, ILentMemory memory);
}
