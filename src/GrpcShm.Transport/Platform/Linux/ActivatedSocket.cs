namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// A listening socket that was passed to this process and that a listener uses, until the listener gives it back.
/// </summary>
/// <param name="Socket">A duplicate, the listener's own.</param>
/// <param name="Path">The path that it is bound to.</param>
/// <param name="Number">The descriptor that was passed. It stays open: the next listener in this process takes it
/// again.</param>
internal sealed record ActivatedSocket(SafeFileDescriptor Socket, string Path, int Number) : IDisposable
{
    private static readonly HashSet<int> InUse = [];

    /// <returns>True if no other listener of this process has the descriptor.</returns>
    public static bool TryTake(int number)
    {
        lock (InUse)
        {
            return InUse.Add(number);
        }
    }

    public static void GiveBack(int number)
    {
        lock (InUse)
        {
            InUse.Remove(number);
        }
    }

    public void Dispose() => GiveBack(Number);
}
