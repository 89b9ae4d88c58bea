-- the state that an item is in after its last step
case
  when exit_state = 'absent' then 'deleted'
  when new_state = exit_state and new_image is not null then 'present'
  else 'unknown'
end
