namespace GrpcShm.Client.Direct;

/// <summary>A connection that can stop taking calls while those under way go on.</summary>
internal interface IRetirable
{
    /// <summary>True once the connection takes no more calls.</summary>
    bool IsRetired { get; }

    /// <summary>Takes no more calls, and closes the connection behind the last one.</summary>
    void Retire();
}
