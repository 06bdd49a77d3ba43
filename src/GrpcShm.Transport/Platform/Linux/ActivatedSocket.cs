namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// A listening socket that was passed to this process and is in use by a listener, until that gives it back.
/// </summary>
/// <param name="Socket">A duplicate, the listener's own.</param>
/// <param name="Path">What it is bound to.</param>
/// <param name="Number">The descriptor that was passed. It stays open: whoever listens next in this process takes it
/// again.</param>
internal sealed record ActivatedSocket(SafeFileDescriptor Socket, string Path, int Number) : IDisposable
{
    private static readonly HashSet<int> InUse = [];

    /// <returns>Whether no other listener of this process has the descriptor.</returns>
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
