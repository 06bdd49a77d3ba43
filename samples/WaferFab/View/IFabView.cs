namespace Samples.WaferFab.View;

/// <summary>What a person sees of a run.</summary>
internal interface IFabView
{
    /// <summary>Tells of something that happens once.</summary>
    void Say(string line);

    /// <summary>Shows the fab until the run is over, however it ends.</summary>
    Task ShowAsync(Func<ValueTask<FabPicture>> take, Task run);

    /// <summary>Shows the result.</summary>
    void Show(FabReport report);
}
