using Grpc.Core;

namespace GrpcShm.TestHost.Services;

/// <summary>Tells a handler whether the message that it just received was compressed.</summary>
internal static class CompressionWitness
{
    private static readonly object Key = new();

    /// <summary>Notes that a message of the current request is decompressed.</summary>
    public static void Note(HttpContext? context)
    {
        if (context is not null)
        {
            context.Items[Key] = Count(context) + 1;
        }
    }

    /// <summary>The number of messages of this call that were decompressed so far.</summary>
    public static int Count(HttpContext context) => context.Items.TryGetValue(Key, out var count) ? (int)count! : 0;

    /// <summary>Refuses a message if it is compressed and its sender says that it is not, or the reverse.</summary>
    public static void Check(bool hasExpectation, bool expected, bool actual)
    {
        if (hasExpectation && expected != actual)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument,
                actual ? "The message came compressed." : "The message came uncompressed."));
        }
    }
}
