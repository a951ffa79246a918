"""Recurrent layers: one layer in one direction over all its steps."""
from row import kernel, structured

kernel("rnn_forward", "T T", "float", cut="first")
kernel("rnn_backward", "T T T", "float", cut="first")
kernel("lstm_forward", "T T T T T", "float", cut="first")
kernel("lstm_backward", "T T T T T T", "float", cut="first")
kernel("gru_forward", "T T T T", "float", cut="first")
kernel("gru_backward", "T T T T T T", "float", cut="first")

structured("_recurrent_layer(input, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, mode: int, reverse: bool = False, "
           "batch_sizes: any = None)", "The outputs of one recurrent layer in one direction, and its last states.",
           entry="recurrent_layer_entry", backward="recurrent_layer_backward", function="functional", method=False)
