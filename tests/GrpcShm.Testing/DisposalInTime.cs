namespace GrpcShm.Testing;

/// <summary>The end of a thing that a test owns. It fails the test if it is not over in time.</summary>
internal readonly struct DisposalInTime(IAsyncDisposable owned, string what) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => new(owned.DisposeAsync().InTime(what));
}
