namespace GrpcShm.Client.Direct;

/// <summary>
/// Who uses a call still: the connection, the one who sends the request, and the one who reads the response. When all
/// have let it go, it may serve again, if it took the usual course.
/// </summary>
internal sealed class CallUsers
{
    private const int All = 3;

    // Counted down by each of the three, with a full fence: the last one sees all that the others have written, and
    // resets it.
    private int _count = All;
    private bool _isReusable = true;

    /// <summary>
    /// Keeps the call from serving again, since somebody may use it beyond its end. By one of its users.
    /// </summary>
    public void KeepFromReuse() => _isReusable = false;

    /// <summary>One of the three uses the call no more.</summary>
    /// <returns>Whether it was the last one, and the call may serve again.</returns>
    public bool LetGo() => Interlocked.Decrement(ref _count) == 0 && _isReusable;

    /// <summary>Makes them as new. By the last one.</summary>
    public void Reuse() => _count = All;
}
