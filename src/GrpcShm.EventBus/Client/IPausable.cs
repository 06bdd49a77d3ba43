namespace GrpcShm.EventBus.Client;

/// <summary>A machine or another subscription whose handlers can be held back. It counts how often.</summary>
internal interface IPausable
{
    /// <summary>Hands no more events to the handlers until it is resumed as often.</summary>
    void Pause();

    void Resume();
}
