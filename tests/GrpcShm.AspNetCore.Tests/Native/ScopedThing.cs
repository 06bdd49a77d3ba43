namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>A service of the scope of a call, which notes when that ends.</summary>
internal sealed class ScopedThing : IAsyncDisposable
{
    private readonly Scene _scene;

    public ScopedThing(Scene scene)
    {
        _scene = scene;
        scene.BeginScope();
    }

    public ValueTask DisposeAsync()
    {
        _scene.Note("the scope has ended");
        _scene.EndScope();
        return ValueTask.CompletedTask;
    }
}
